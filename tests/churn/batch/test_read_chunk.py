"""A chunk is read as the service reads each of its rows: the same values, refusals and reasons."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.batch.read_chunk import REJECTED, ChunkReader
from churn.errors import InputError
from churn.scoring.encoder import RowEncoder
from churn.scoring.fields import FieldError

PLAIN = {
    "customerID": "C1", "gender": "Female", "SeniorCitizen": "0", "Partner": "Yes",
    "Dependents": "No", "tenure": "12", "PhoneService": "Yes", "MultipleLines": "No",
    "InternetService": "DSL", "OnlineSecurity": "No", "OnlineBackup": "Yes",
    "DeviceProtection": "No", "TechSupport": "No", "StreamingTV": "No", "StreamingMovies": "No",
    "Contract": "One year", "PaperlessBilling": "Yes", "PaymentMethod": "Mailed check",
    "MonthlyCharges": "29.85", "TotalCharges": "358.2",
}  # fmt: skip
ODD_TEXTS = (
    "", " ", "NA", "nan", "NaN", "null", "None", "inf", "-Infinity", "1e400", "-1e400", "1e2",
    "1E+2", "+5", "5.", ".5", "-0", "-0.0", "0x10", "1_000", "1,5", "12 ", " 12", "1 2", "٣",
    "12.0", "12.5", "0", "73", "-1", "9007199254740993", "123456789012345678901234567890", "true",
    "True", "yes", "Yes", " No", "No internet service", "Fiber optic", "0.0", "1.0", "0E-18",
    "29.850000000000000001", "x" * 50, "2026-11-30T02:00:00+05:30",
)  # fmt: skip
ODD_VALUES = {
    pa.string(): [*ODD_TEXTS, None],
    pa.large_string(): ["12", " 12 ", "", None],
    pa.dictionary(pa.int32(), pa.string()): ["12", "No", "abc", None, "1e1"],
    pa.float64(): [0.0, -0.0, 12.0, 12.5, float("nan"), float("inf"), -1.0, 1e300, None],
    pa.int64(): [0, 1, 12, -1, 73, 2**53 + 1, None],
    pa.uint64(): [0, 1, 2**64 - 1],
    pa.int8(): [0, 1, 12],
    pa.bool_(): [True, False, None],
    pa.decimal128(38, 18): [Decimal(12), Decimal("0E-18"), Decimal("12.5"), Decimal(-1), None],
    pa.null(): [None],
}
COLUMNS = ("tenure", "MonthlyCharges", "TotalCharges", "SeniorCitizen", "Partner", "Contract")


def table(column: str | None = None, values: list | None = None, kind=None) -> pa.Table:
    """Rows like `PLAIN`, one for each value of a column."""
    count = len(values) if values else 1
    made = {name: pa.array([value] * count) for name, value in PLAIN.items()}
    if column:
        made[column] = pa.array(values, kind)
    return pa.table(made)


def row_by_row(chunk: pa.Table, contract) -> list[list[float] | str]:
    """What the service's reader says of each row: its values, or why it is refused."""
    encoder = RowEncoder(contract)

    def read(row):
        try:
            return encoder.encode(row)
        except FieldError as error:
            return str(error)

    return [read(row) for row in chunk.to_pylist()]


def by_columns(chunk: pa.Table, contract) -> list[list[float] | str]:
    """The same by whole columns."""
    reader = ChunkReader(contract)
    read = reader.read(chunk, 1)
    names = RowEncoder(contract).names
    values = [[float(read.columns[name][at]) for name in names] for at in range(len(read.rows))]
    found = dict(zip(read.rows.tolist(), values, strict=True))
    refused = zip(
        read.rejected["row"].to_pylist(), read.rejected["reason"].to_pylist(), strict=True
    )
    found.update(refused)
    assert sorted(found) == list(range(1, chunk.num_rows + 1))
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("kind", ODD_VALUES, ids=str)
def test_every_odd_value_is_read_as_the_service_reads_it(contract, column, kind):
    chunk = table(column, ODD_VALUES[kind], kind)

    found, expected = by_columns(chunk, contract), row_by_row(chunk, contract)
    if pa.types.is_decimal(kind):  # its digits are shown, where the service says "a Decimal"
        found, expected = ([x if isinstance(x, list) else "" for x in y] for y in (found, expected))
    assert found == expected


@given(data=st.data())
def test_rows_of_odd_values_are_read_as_the_service_reads_them(contract, data):
    odd = st.sampled_from(ODD_TEXTS) | st.none() | st.text(max_size=6) | st.decimals().map(str)
    odd |= st.floats().map(repr) | st.integers(-(10**20), 10**20).map(str)
    count = data.draw(st.integers(1, 4))
    made = {name: [value] * count for name, value in PLAIN.items()}
    for column in data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3)):
        values = st.lists(odd | st.just(PLAIN[column]), min_size=count, max_size=count)
        made[column] = data.draw(values)
    chunk = pa.table({name: pa.array(values, pa.string()) for name, values in made.items()})

    assert by_columns(chunk, contract) == row_by_row(chunk, contract)


def test_a_blank_means_what_the_contract_says_only_beside_its_other_value(contract):
    chunk = table("TotalCharges", [None, "", "10"]).set_column(
        5, "tenure", pa.array(["0", "12", "0"])
    )

    read = ChunkReader(contract).read(chunk, 1)

    assert read.columns["TotalCharges"].tolist() == [0.0, 10.0]
    assert read.rejected.to_pylist()[0]["row"] == 2
    assert read.rejected["field"].to_pylist() == ["TotalCharges"]


def test_a_number_of_32_bits_is_what_training_reads_from_its_text(contract):
    read = ChunkReader(contract).read(table("MonthlyCharges", [29.85], pa.float32()), 1)

    assert read.columns["MonthlyCharges"].tolist() == [29.85]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (
            pa.timestamp("ns", tz="Asia/Kolkata"),
            datetime(2026, 1, 1, tzinfo=timezone(timedelta(0))),
        ),
        (pa.date32(), date(2026, 1, 1)),
    ],
)
def test_a_time_of_any_zone_is_no_number(contract, kind, value):
    read = ChunkReader(contract).read(table("tenure", [value], kind), 1)

    assert read.rejected["field"].to_pylist() == ["tenure"]


def test_a_list_is_no_value_of_any_column(contract):
    with pytest.raises(InputError, match="Column 'tenure' is of type 'list<item: int64>'"):
        ChunkReader(contract).read(table("tenure", [[1]], pa.list_(pa.int64())), 1)


def test_a_row_that_is_set_aside_keeps_its_number_its_field_and_all_its_values(contract):
    chunk = table("tenure", ["12", "a year", "13"]).append_column("Churn", pa.array(["No"] * 3))

    read = ChunkReader(contract).read(chunk, 41)

    assert read.rows.tolist() == [41, 43]
    (row,) = read.rejected.to_pylist()
    assert read.rejected.schema == REJECTED
    assert (row["row"], row["field"]) == (42, "tenure")
    assert row["reason"].startswith("Field 'tenure': 'a year' is not a number.")
    assert json.loads(row["raw"]) == PLAIN | {"tenure": "a year", "Churn": "No"}


@pytest.mark.parametrize("customer", ["", "  ", None, "x" * 201, "a\0b"])
def test_a_row_without_a_usable_id_is_set_aside(contract, customer):
    read = ChunkReader(contract).read(table("customerID", ["C1", customer], pa.string()), 1)

    assert read.customers.to_pylist() == ["C1"]
    assert read.rejected["field"].to_pylist() == ["customerID"]


@pytest.mark.parametrize(
    ("values", "kind", "ids"),
    [
        (["x" * 200, " C2 "], pa.string(), ["x" * 200, "C2"]),
        ([7, 2**63 - 1], pa.int64(), ["7", "9223372036854775807"]),
    ],
)
def test_an_id_is_a_text_or_a_whole_number(contract, values, kind, ids):
    read = ChunkReader(contract).read(table("customerID", values, kind), 1)

    assert read.customers.to_pylist() == ids


def test_a_table_without_ids_is_read_by_row_number(contract):
    read = ChunkReader(contract).read(table().drop(["customerID"]), 1)

    assert read.customers.to_pylist() == [None]
    assert read.rejected.num_rows == 0


@pytest.mark.parametrize(("value", "text"), [(float("nan"), "nan"), (float("-inf"), "-inf")])
def test_a_row_with_what_json_has_no_number_for_is_still_json(contract, value, text):
    read = ChunkReader(contract).read(table("tenure", [value], pa.float64()), 1)

    def refuse(constant):
        raise AssertionError(constant)

    (raw,) = read.rejected["raw"].to_pylist()
    assert json.loads(raw, parse_constant=refuse)["tenure"] == text


def test_a_repeated_id_is_set_aside_with_the_row_that_has_it_already(contract):
    read = ChunkReader(contract).read(table("customerID", ["A", "B", "A"]), 11, {13: 11})

    assert read.rows.tolist() == [11, 12]
    assert read.rejected["reason"].to_pylist()[0].startswith("Row 11 has the same id")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.drop(["tenure"]), "Field 'tenure' is missing"),
        (
            lambda t: t.append_column("colour", pa.array(["red"])),
            "Field 'colour' is not in the con",
        ),
    ],
)
def test_a_table_with_other_columns_is_refused(contract, change, sentence):
    with pytest.raises(InputError, match=sentence):
        ChunkReader(contract).read(change(table()), 1)


def test_a_column_that_may_be_blank_may_be_left_out(contract):
    chunk = table("tenure", ["0", "12"]).drop(["TotalCharges"])

    read = ChunkReader(contract).read(chunk, 1)

    assert read.columns["TotalCharges"].tolist() == [0.0]
    assert read.rejected["reason"].to_pylist()[0].startswith("Field 'TotalCharges' is missing")


def test_the_shipped_table_is_read_as_training_reads_it(contract, raw_customers, telco_columns):
    read = ChunkReader(contract).read(raw_customers, 1)

    assert read.rejected.num_rows == 0
    for name, values in telco_columns.items():
        np.testing.assert_array_equal(read.columns[name], values)
