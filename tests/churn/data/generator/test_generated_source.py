"""`generated:` is a source like any other."""

from __future__ import annotations

import pyarrow as pa
import pytest

from churn.data.generator import GeneratorSettings, generate
from churn.data.sources import open_source
from churn.errors import InputError

ADDRESS = "generated:3000?seed=5&scenario=contract_mix"


def test_it_reads_what_generate_returns(contract):
    expected = generate(contract, 3000, seed=5, scenario="contract_mix").table()

    source = open_source(ADDRESS, contract)
    chunks = list(source.chunks(1000))

    assert [(chunk.number, chunk.first_row) for chunk in chunks] == [(0, 0), (1, 1000), (2, 2000)]
    assert pa.concat_tables([chunk.table for chunk in chunks]).equals(expected)
    assert source.shown == "generated:3000?seed=5&scenario=contract_mix"
    assert source.format == "generated"


@pytest.mark.parametrize(
    "address",
    [
        "generated:10",
        "generated:10?seed=1",
        "generated:10?seed=0&weeks=1&outcomes=false&truth=true",
        "generated:10?scenario=behaviour&strength=0.25&column=tenure&start=2025-02-28",
    ],
)
def test_an_address_gives_itself_back(address):
    settings = GeneratorSettings.from_address(address)

    assert GeneratorSettings.from_address(settings.address) == settings
    assert sorted(settings.address) == sorted(address)


def test_its_digest_is_that_of_what_is_generated(contract):
    digests = {
        open_source(address, contract).digest()
        for address in (
            ADDRESS,
            "generated:3000?scenario=contract_mix&seed=5",
            "generated:3000?seed=6&scenario=contract_mix",
            "generated:3001?seed=5&scenario=contract_mix",
            "generated:3000?seed=5",
        )
    }
    assert len(digests) == 4


def test_outcomes_can_be_left_out(contract):
    source = open_source("generated:10?outcomes=false", contract, optional=["Churn"])
    (chunk,) = source.chunks()

    assert "Churn" not in chunk.table.column_names


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("generated:", "rows is ''"),
        ("generated:many", "rows is 'many'"),
        ("generated:10?seed=x", "seed is 'x'"),
        ("generated:10?seeed=1", "Did you mean 'seed'?"),
        ("generated:10?seed=1&seed=2", "says 'seed' twice"),
        ("generated:10?rows=11", "says 'rows' twice"),
        ("generated:10?scenario=price_ris", "Did you mean 'price_rise'?"),
    ],
)
def test_an_address_that_is_not_possible_is_refused(contract, address, sentence):
    with pytest.raises(InputError) as refused:
        open_source(address, contract)

    assert sentence in str(refused.value)


def test_without_a_contract_nothing_is_generated():
    with pytest.raises(InputError, match="generated:10 is generated from a data contract"):
        open_source("generated:10")
