"""The contract's `reading` takes the files that other tools write, without code."""

from __future__ import annotations

import logging

import pytest
import yaml
from pydantic import ValidationError

from churn.contract import DataContract
from churn.data import parse, read_raw
from churn.data.sources import open_source
from churn.errors import InputError
from tests.churn.data.sources.conftest import whole


@pytest.fixture
def content(root):
    """What the shipped contract's file says."""
    return yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def with_reading(content):
    """Makes the shipped contract with a `reading`."""

    def make(**reading) -> DataContract:
        return DataContract.model_validate({**content, "reading": reading})

    return make


def snake(text: str) -> str:
    """The customers under another tool's names, with a column of its own."""
    header, *rows = text.splitlines()
    header = header.replace("customerID", "customer_id").replace(
        "MonthlyCharges", "monthly_charges"
    )
    return "\n".join([f"region,{header}", *(f"north,{row}" for row in rows)])


def semicolons(text: str) -> str:
    """The customers as Excel writes them in Europe."""
    return text.replace(",", ";").replace(".", ",")


READINGS = {
    "other names and a column more": (
        snake,
        {
            "extra": "ignore",
            "rename": {"customer_id": "customerID", "monthly_charges": "MonthlyCharges"},
        },
    ),
    "semicolons and decimal commas": (semicolons, {"separator": ";", "decimal": ","}),
    "1/0": (
        lambda text: text.replace(",No\n", ",0\n").replace(",Yes\n", ",1\n"),
        {"values": {"Churn": {"1": "Yes", "0": "No"}}},
    ),
    "TRUE/FALSE and other words": (
        lambda text: (
            text.replace(",No\n", ",FALSE\n")
            .replace(",Yes\n", ",TRUE\n")
            .replace(",Male,", ", M ,")
            .replace(",Female,", ",F,")
        ),
        {
            "values": {
                "Churn": {"TRUE": "Yes", "FALSE": "No"},
                "gender": {"M": "Male", "F": "Female"},
            }
        },
    ),
    "an index of the rows": (
        lambda text: "\n".join(
            f"{number},{line}" if number else f",{line}"
            for number, line in enumerate(text.splitlines())
        ),
        {"extra": "ignore"},
    ),
}


@pytest.mark.parametrize("case", READINGS)
def test_a_declared_reading_takes_the_file(case, text, csv_file, contract, with_reading):
    write, reading = READINGS[case]
    expected = parse(read_raw(text.encode(), "mine.csv")[0], contract)
    csv_file.write_text(write(text))
    assert csv_file.read_text() != text
    theirs = with_reading(**reading)

    assert parse(whole(open_source(str(csv_file), theirs), 7), theirs).equals(expected)


@pytest.mark.parametrize("case", READINGS)
def test_a_reading_changes_nothing_in_a_table_that_needs_none(
    case, text, tmp_path, contract, with_reading
):
    # A snapshot holds the table as it was translated, and is read by the same contract again.
    reading = {key: value for key, value in READINGS[case][1].items() if key != "separator"}
    path = tmp_path / "customers.parquet"
    expected = parse(read_raw(text.encode(), "mine.csv")[0], contract)
    expected.to_parquet(path, index=False)
    theirs = with_reading(**reading)

    assert parse(whole(open_source(str(path), theirs)), theirs).equals(expected)


def test_without_it_a_column_more_is_refused_by_a_sentence_that_names_the_switch(
    text, csv_file, contract
):
    csv_file.write_text(
        snake(text)
        .replace("customer_id", "customerID")
        .replace("monthly_charges", "MonthlyCharges")
    )

    with pytest.raises(
        InputError, match=r"'region' is not in contract .*`reading: \{extra: ignore\}`"
    ):
        list(open_source(str(csv_file), contract).chunks())


def test_what_is_dropped_is_named_once(text, csv_file, with_reading, caplog):
    csv_file.write_text(snake(text))
    theirs = with_reading(**READINGS["other names and a column more"][1])

    with caplog.at_level(logging.WARNING):
        list(open_source(str(csv_file), theirs).chunks(7))

    assert [record.getMessage() for record in caplog.records] == [
        f"{csv_file}: not in contract 'telco', and ignored as it says: 'region'"
    ]


def test_ignoring_extra_columns_forgives_no_missing_one(text, csv_file, with_reading):
    csv_file.write_text(text.replace("Contract", "Region", 1))

    with pytest.raises(InputError, match="Column 'Contract' is missing from the file"):
        list(open_source(str(csv_file), with_reading(extra="ignore")).chunks())


@pytest.mark.parametrize("amount", ["1.234,5", "1.234"])
def test_a_point_beside_declared_commas_is_never_another_number(
    text, csv_file, with_reading, amount
):
    csv_file.write_text(semicolons(text).replace("29,85", amount, 1))
    theirs = with_reading(separator=";", decimal=",")

    with pytest.raises(InputError, match=r"Column 'MonthlyCharges' row 1: .* is not a number"):
        parse(whole(open_source(str(csv_file), theirs)), theirs)


def test_columns_that_may_be_missing_are_said_by_the_reader(text, csv_file, contract):
    csv_file.write_text("\n".join(line.rpartition(",")[0] for line in text.splitlines()))

    chunk = next(open_source(str(csv_file), contract, optional=contract.unscored).chunks())

    assert chunk.table.column_names == [name for name in contract.names if name != "Churn"]
    with pytest.raises(InputError, match="Column 'Churn' is missing"):
        list(open_source(str(csv_file), contract).chunks())


def test_a_reading_is_in_no_digest_and_no_dump(contract, with_reading):
    theirs = with_reading(extra="ignore", separator=";")

    assert theirs.digest() == contract.digest()
    assert theirs.model_dump() == contract.model_dump()


@pytest.mark.parametrize(
    ("reading", "fault"),
    [
        ({"rename": {"a": "Nope"}}, "turns 'a' into the unknown column 'Nope'"),
        ({"rename": {"Churn": "gender"}}, "names the contract's own column 'Churn'"),
        ({"rename": {"a": "Churn", "b": "Churn"}}, "turns two columns into one"),
        ({"values": {"tenure": {"a": "1"}}}, "'tenure', which is no column of categories"),
        ({"values": {"Nope": {"a": "1"}}}, "'Nope', which is no column of categories"),
        ({"values": {"Churn": {"1": "yes"}}}, "turns '1' into 'yes', no category"),
        ({"values": {"Churn": {"No": "Yes"}}}, "names the contract's own category 'No'"),
        ({"separator": "x"}, "separator"),
        ({"extras": "ignore"}, "extras"),
    ],
)
def test_a_reading_that_leads_nowhere_is_refused(with_reading, reading, fault):
    with pytest.raises(ValidationError, match=fault):
        with_reading(**reading)


def test_a_bundles_contract_takes_the_reading_of_its_own_file(content, contract, tmp_path):
    from churn.contract import with_reading

    path = tmp_path / "telco.yaml"
    assert with_reading(contract, path) == contract

    path.write_text(yaml.safe_dump({**content, "reading": {"extra": "ignore"}}))
    theirs = with_reading(contract, path)
    assert (theirs.reading.extra, theirs.digest()) == ("ignore", contract.digest())
    assert theirs.table_digest() != contract.table_digest() == contract.digest()

    path.write_text(yaml.safe_dump({**content, "version": 9, "reading": {"extra": "ignore"}}))
    assert with_reading(contract, path) == contract
