"""Drafting a contract: what is guessed of a table, what is left out, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.contract import BlankRule, DataContract, NumberColumn
from churn.data import parse, read_raw
from churn.drafting.contract_text import contract_text
from churn.drafting.draft import FEWEST_ROWS, MOST_COLUMNS, Hints, draft_contract
from churn.errors import InputError

ROWS = 200
LEFT = np.random.default_rng(9).random(ROWS) < 0.25


def table_of(**columns) -> pa.Table:
    """A table of texts: ids that last, a target, and the given columns of `ROWS` cells."""
    draw = np.random.default_rng(3)
    ids = draw.permutation(ROWS * 7)[:ROWS]
    usual = {
        "customer_id": [f"K{each}" for each in ids],
        "usage": [str(each) for each in draw.integers(0, 90, ROWS)],
        "churned": ["yes" if left else "no" for left in LEFT],
    }
    return pa.table(
        {
            name: pa.array(map(str, cells))
            for name, cells in (usual | columns).items()
            if cells is not None
        }
    )


def drafted(table: pa.Table, **hints) -> DataContract:
    content = draft_contract(table, "mine", "mine.csv", Hints(**hints))
    return DataContract.model_validate(content)


def refused(table: pa.Table, **hints) -> str:
    with pytest.raises(InputError) as caught:
        draft_contract(table, "mine", "mine.csv", Hints(**hints))
    return str(caught.value)


@pytest.fixture(scope="module")
def shipped(root):
    """The draft of the shipped table."""
    path = root / "data" / "raw" / "telco.csv"
    return drafted(read_raw(path.read_bytes(), path.name)[0])


def test_the_shipped_table_is_drafted_as_it_was_described_by_hand(shipped, contract):
    assert shipped.names == contract.names
    assert shipped.left_out == {}
    for by_hand in contract.columns:
        column = shipped.column(by_hand.name)
        assert (column.kind, column.roles) == (by_hand.kind, by_hand.roles), by_hand.name
        for field in ("categories", "yes"):
            expected = getattr(by_hand, field, ())
            assert set(getattr(column, field, ())) == set(expected), by_hand.name
        for field in ("months", "integer", "blank", "surrogate", "yes_value", "no_value"):
            assert getattr(column, field, None) == getattr(by_hand, field, None), by_hand.name
    assert shipped.column("tenure").unit == "months"
    assert shipped.expectations.implications == contract.expectations.implications
    assert shipped.expectations.charges is not None
    assert (shipped.expectations.charges.relative, shipped.expectations.charges.mostly) == (
        0.2,
        0.95,
    )


def test_every_guess_about_the_meaning_is_marked(shipped):
    guessed = [
        column for column in shipped.columns if column.roles or column.kind in {"id", "target"}
    ]

    assert all(column.confirm for column in guessed)
    assert "confirm" not in shipped.model_dump_json()


def test_ranges_hold_the_table_and_some_more(shipped, telco):
    for column in shipped.columns:
        if isinstance(column, NumberColumn):
            most = telco.frame[column.name].max()
            assert column.minimum == 0
            assert 2 * most <= column.maximum <= 5 * most


@pytest.mark.parametrize(
    ("values", "yes"),
    [
        (("no", "yes"), "yes"),
        (("0", "1"), "1"),
        (("False", "True"), "True"),
        (("False.", "True."), "True."),
        (("Existing Customer", "Attrited Customer"), "Attrited Customer"),
        (("stayed", "left"), "left"),
    ],
)
def test_both_spellings_of_the_target_are_found(values, yes):
    target = [values[each % 3 == 0] for each in range(ROWS)]
    found = drafted(table_of(churned=target)).target

    assert (found.no_value, found.yes_value) == (next(v for v in values if v != yes), yes)


def test_a_person_may_name_id_target_and_yes():
    status = ["A" if each % 3 else "B" for each in range(ROWS)]
    numbers = [str(each * 3) for each in np.random.default_rng(5).permutation(ROWS)]
    table = table_of(customer_id=None, churned=None, handle=numbers, state=status)

    found = drafted(table, id="handle", target="state", yes="A")

    assert (found.id.name, found.target.name, found.target.yes_value) == ("handle", "state", "A")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["one"] * ROWS, "one value in every row"),
        (range(1, ROWS + 1), "only numbers the rows"),
        ([f"{each % 40},5" for each in range(ROWS)], "a point for decimals"),
        ([f"€ {each % 40}" for each in range(ROWS)], "signs of money"),
        ([""] * ROWS, "every cell is blank"),
        ([f"he said {each} things" for each in range(ROWS)], "free text"),
        ([f"{each}@example.org" for each in range(ROWS)], "addresses of persons"),
        ([f"2025-01-{each % 28 + 1:02}" for each in range(ROWS)], "it holds dates"),
        ([f"{each % 28 + 1}/01/2025" for each in range(ROWS)], "it holds dates"),
        (["" if each % 7 == 0 else ["red", "blue"][each % 2] for each in range(ROWS)], "blank"),
        (["" if each % 7 == 0 else str(each) for each in range(ROWS)], "no other column says why"),
        (["gone" if left else "here" for left in LEFT], "target in other words"),
        (["moved" if left else "" for left in LEFT], "target in other words"),
        (
            [f"note {each}" if left else "" for each, left in enumerate(LEFT)],
            "too good to be known",
        ),
        ([str(each % 3 + 10 * left) for each, left in enumerate(LEFT)], "too good to be known"),
    ],
)
def test_a_column_that_cannot_be_used_is_left_out_and_the_table_still_read(cells, why):
    table = table_of(odd=cells)
    found = drafted(table)

    assert why in found.left_out["odd"]
    assert list(parse(table, found)) == ["customer_id", "usage", "churned"]


@pytest.mark.parametrize(
    "name", ["churn_reason", "CancellationDate", "Churn Score", "exit_date", "left_on"]
)
def test_what_is_known_only_after_leaving_is_left_out_by_its_name(name):
    cells = [["red", "blue"][each % 2] for each in range(ROWS)]

    assert "only after a customer has left" in drafted(table_of(**{name: cells})).left_out[name]


@pytest.mark.parametrize("name", ["contract", "months_left", "closed_tickets", "active_lines"])
def test_a_name_that_only_sounds_like_leaving_is_kept(name):
    cells = [["red", "blue"][each % 2] for each in range(ROWS)]

    assert name not in drafted(table_of(**{name: cells}), target="churned").left_out


def test_a_blank_is_explained_only_by_a_value_that_always_and_alone_brings_it():
    months = [each % 6 for each in range(ROWS)]
    billed = ["" if each == 0 else str(7 * each) for each in months]
    found = drafted(table_of(months=months, billed=billed))

    billed[months.index(0)] = "5"
    not_always = drafted(table_of(months=months, billed=billed))

    column = found.column("billed")
    assert isinstance(column, NumberColumn)
    assert column.blank == BlankRule(only_when="months", equals=0.0, value=0.0)
    assert "no other column says why" in not_always.left_out["billed"]


def test_the_day_of_a_row_is_the_date_and_days_of_events_are_not():
    days = [f"2025-{each % 12 + 1:02}-01" for each in range(ROWS)]
    found = drafted(table_of(snapshot_date=days, signup_date=days))

    assert found.date is not None
    assert found.date.name == "snapshot_date"
    assert "signup_date" in found.left_out


DAYS = [f"2025-{each % 2 + 1:02}-01" for each in range(ROWS)]


def test_an_id_may_be_there_once_a_day():
    ids = [f"K{each // 2}" for each in range(ROWS)]
    found = drafted(table_of(customer_id=ids, snapshot_date=DAYS))

    assert found.id.name == "customer_id"
    assert found.date is not None
    assert found.date.name == "snapshot_date"
    # and with a column that looks like an id, too, but tells rows apart and not customers
    rows = [f"row {each * 7 % ROWS}" for each in range(ROWS)]
    assert drafted(table_of(customer_id=ids, snapshot_date=DAYS, row_id=rows)).id == found.id


@pytest.mark.parametrize("days", [{"signup_date": DAYS}, {"snapshot_date": ["2025-01-01"] * ROWS}])
def test_an_id_that_is_there_twice_on_one_day_is_refused(days):
    ids = [f"K{each // 2}" for each in range(ROWS)]

    assert "100 ids are there more than once" in refused(table_of(customer_id=ids, **days))


def test_ids_that_only_number_the_rows_do_not_last():
    counted = [f"C{each:05}" for each in range(1, ROWS + 1)]

    assert drafted(table_of(customer_id=counted)).id.surrogate
    assert not drafted(table_of()).id.surrogate


@pytest.mark.parametrize(
    ("columns", "hints", "sentence"),
    [
        ({"churned": None}, {}, "no column whose name says who left. Name the target with --target"),
        ({"churned": ["no"] * ROWS}, {}, "the target holds 1 value, and two are needed"),
        (
            {"churned": [str(each % 50) for each in range(ROWS)]},
            {},
            "the target holds 50 values, and two are needed",
        ),
        (
            {"churned": ["" if each == 4 else "yn"[each % 2] for each in range(ROWS)]},
            {},
            "the target is blank in 1 row, first in row 5",
        ),
        ({"churned": ["AB"[each % 2] for each in range(ROWS)]}, {}, "--yes 'A' or 'B'"),
        ({}, {"yes": "maybe"}, "does not hold 'maybe'. Say which value means left: --yes 'no' or 'yes'"),
        ({"churned": None, "retained": ["01"[each % 2] for each in range(ROWS)]}, {}, "--yes '0' or '1'"),
        ({}, {"target": "churnd"}, "no column 'churnd' for --target. Did you mean 'churned'?"),
        ({}, {"target": "customer_id"}, "--target names 'customer_id', which is the id"),
        ({"customer_id": None}, {}, "no column that could be the customers' id"),
        ({"customer_id": [f"K{each // 2}" for each in range(ROWS)]}, {}, "100 ids are there more than once, the first in rows 1 and 2"),
        ({"customer_id": ["", *(f"K{each}" for each in range(1, ROWS))]}, {}, "the id is blank in row 1"),
        ({"usage": None}, {}, "no column from which a model could learn"),
        ({"": list(range(ROWS))}, {}, "column 4 has no name"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_drafted_is_refused_in_a_sentence(columns, hints, sentence):
    said = refused(table_of(**columns), **hints)

    assert said.startswith("mine.csv")
    assert sentence in said


def test_too_few_rows_and_too_many_columns_are_refused():
    table = table_of()
    wide = {f"c{each}": ["ab"[row % 2] for row in range(ROWS)] for each in range(MOST_COLUMNS - 3)}

    assert drafted(table.slice(0, FEWEST_ROWS)).names == ("customer_id", "usage", "churned")
    assert "99 rows, and a contract is drafted from 100" in refused(table.slice(0, FEWEST_ROWS - 1))
    assert len(drafted(table_of(**wide)).names) == MOST_COLUMNS
    assert "501 columns, and a contract is drafted for 500" in refused(
        table_of(**wide, more=wide["c0"])
    )


CELLS = st.sampled_from(["", "NA", "0", "1", "-3", "2.50", "1e3", "00501", "inf", "Yes", "no", "null", "2025-01-01", "a b", "ü", "'", "{x: 1}", "#"])  # fmt: skip


@settings(max_examples=60)
@given(
    pools=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).map(str.strip).filter(bool),
        st.lists(CELLS, min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    ),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_a_drafted_contract_always_loads_and_reads_its_own_table(pools, seed):
    draw = np.random.default_rng(seed)
    odd = {
        name: [pool[place] for place in draw.integers(0, len(pool), ROWS)]
        for name, pool in pools.items()
        if name not in {"customer_id", "usage", "churned"}
    }
    table = table_of(**odd)
    content = draft_contract(
        table, "mine", "mine.csv", Hints(id="customer_id", target="churned", yes="yes")
    )

    assert yaml.safe_load(contract_text(content, "mine.csv", "0" * 64)) == content
    contract = DataContract.model_validate(content)
    assert len(parse(table, contract)) == ROWS
    assert {*contract.names, *contract.left_out} == set(table.column_names)
