"""A table with the day of each row, from the file to the page and the score."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from churn.contract import DataContract
from churn.data import Dataset, parse, read_raw
from churn.data.quality import check
from churn.data.snapshot import take_snapshot
from churn.errors import InputError
from churn.features.encoding import encode
from churn.reports.dataset_page import column_summaries
from churn.scoring import FieldError
from churn.scoring.encoder import RowEncoder


@pytest.fixture(scope="module")
def dated(contract):
    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    first, *others = contract.model_dump()["columns"]
    return DataContract.model_validate(contract.model_dump() | {"columns": [first, day, *others]})


@pytest.fixture(scope="module")
def days(telco):
    return pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(telco.rows) % 90, unit="D")


@pytest.mark.parametrize("kind", ["timestamp", "date", "text"])
def test_parquet_s_dates_are_read_as_days(telco, dated, days, kind):
    kinds = {"timestamp": days + pd.Timedelta("7h"), "date": days.date, "text": days.astype(str)}
    file = io.BytesIO()
    telco.frame.assign(seen_on=kinds[kind]).to_parquet(file)

    frame = parse(read_raw(file.getvalue(), "mine.parquet")[0], dated)

    assert frame["seen_on"].tolist() == days.strftime("%Y-%m-%d").tolist()
    assert tuple(frame.columns) == dated.names


def test_a_dated_table_is_checked_kept_and_described(telco, dated, days, tmp_path):
    frame = telco.frame.assign(seen_on=days.strftime("%Y-%m-%d"))[list(dated.names)]
    dataset = Dataset(frame, dated, replace(telco.source, sha256="f" * 64))

    report = check(frame, dated, None)
    kept = take_snapshot(dataset, tmp_path)

    assert report.verdict == "pass", report.sentence
    holds = {each["name"]: each["holds"] for each in column_summaries(dataset)}
    assert holds["seen_on"] == "2025-01-01 to 2025-03-31"
    content = (kept / "customers.parquet").read_bytes()
    assert parse(read_raw(content, "again.parquet")[0], dated).equals(frame)


def test_a_blank_date_fails_the_gate(telco, dated, days):
    frame = telco.frame.assign(seen_on=days.strftime("%Y-%m-%d").astype(object))
    frame = frame[list(dated.names)]
    frame.loc[5, "seen_on"] = None

    failed = [each.name for each in check(frame, dated, None).failures]

    assert failed == ["blanks in seen_on"]


def test_of_a_customer_with_several_rows_the_latest_is_found(telco, dated):
    frame = telco.frame.assign(seen_on="2025-01-01")
    newer = frame.iloc[:3].assign(seen_on="2025-02-01", tenure=200)
    older = frame.iloc[3:5].assign(seen_on="2024-12-01", tenure=1)
    together = pd.concat([newer, frame, older], ignore_index=True)[list(dated.names)]

    latest = Dataset(together, dated, telco.source).latest

    assert latest["tenure"].tolist() == [200.0] * 3 + telco.frame["tenure"].tolist()[3:]
    assert Dataset(telco.frame, telco.contract, telco.source).latest is telco.frame


@pytest.mark.parametrize(("day", "fails"), [("2025-02-01", False), ("2025-01-01", True)])
def test_a_customer_may_have_a_row_for_each_day(telco, dated, day, fails):
    frame = telco.frame.assign(seen_on="2025-01-01")
    again = frame.iloc[:3].assign(seen_on=day)
    frame = pd.concat([frame, again], ignore_index=True)[list(dated.names)]

    (found,) = (
        each for each in check(frame, dated, None).checks if each.name == "uniqueness of customerID"
    )

    assert found.success is not fails
    if fails:
        assert found.failing_rows == (1, 2, 3, 7044, 7045, 7046)
        assert "share their id and seen_on with another row" in found.sentence
        assert found.way_out == "Keep one row per customer and seen_on."


def test_a_table_without_the_date_has_no_customer_once_a_day(telco, dated):
    failed = {each.name for each in check(telco.frame, dated, None).failures}

    assert "uniqueness of customerID" in failed


def test_no_model_sees_a_date_and_no_request_needs_one(telco, dated):
    frame = telco.frame.assign(seen_on="2025-01-01")

    assert "seen_on" not in encode(frame, dated)
    row = frame.iloc[0].drop(["customerID", "Churn", "seen_on"]).to_dict()
    encoder = RowEncoder(dated)
    assert encoder.encode(row) == RowEncoder(telco.contract).encode(row)
    with pytest.raises(FieldError) as caught:
        encoder.encode(row | {"seen_on": "2025-01-01", "Churn": "No"})
    assert caught.value.field == "seen_on"
    assert str(caught.value) == (
        "Field 'seen_on' is the day of the row, and a score does not depend on it. Leave it out, "
        "or let the request say ignore=target."
    )


def test_no_implication_is_about_a_date(telco, dated, days):
    rule = telco.contract.expectations.implications[0].model_copy(update={"column": "seen_on"})
    rules = dated.expectations.model_copy(update={"implications": (rule,)})
    frame = telco.frame.assign(seen_on=days.strftime("%Y-%m-%d"))[list(dated.names)]

    with pytest.raises(InputError, match="on column 'seen_on', which is of kind date"):
        check(frame, dated.model_copy(update={"expectations": rules}), None)
