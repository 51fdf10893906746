"""Treatments and outcomes from CSV files: whole or not at all, and no customer in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.ledger.predictions import Outcome, PredictionLedger, TreatmentRecord
from churn.ledger.record_csv import main, read_records

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def record(tmp_path, capsys):
    address = f"sqlite:///{tmp_path}/ledger.db"

    def run(text, kind="treatments"):
        (tmp_path / "given.csv").write_text(text, encoding="utf-8")
        code = main([kind, str(tmp_path / "given.csv"), "--ledger", address])
        with PredictionLedger(address) as ledger:
            kept = ledger.treatments() if kind == "treatments" else ledger.outcomes()
        return code, "".join(capsys.readouterr()), kept

    return run


def test_who_was_treated_and_who_was_in_the_holdout(record):
    code, said, kept = record(
        "customer,treated,assigned_at\nC1,true,2026-11-03T12:00:00+00:00\nC2,no,2026-11-03 12:00\n"
    )

    assert (code, said) == (0, "2 treatments recorded\n")
    assert kept == [
        TreatmentRecord(AT, treated=True, customer="C1"),
        TreatmentRecord(AT, treated=False, customer="C2"),
    ]


def test_outcomes_by_prediction(record):
    text = "\ufeffprediction_id,churned,observed_at\np-1,1,2026-11-03T13:00:00+01:00\n"

    code, _, kept = record(text, "outcomes")

    assert (code, kept) == (0, [Outcome(AT, churned=True, prediction_id="p-1")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has the columns none"),
        ("customer,treated\nC1,true\n", "treatments need assigned_at, treated"),
        ("treated,assigned_at\ntrue,2026-11-03\n", "customer or prediction_id"),
        ("customer,treated,assigned_at,x\nC1,1,2026-11-03,1\n", "no others"),
        ("customer,treated,assigned_at,customer\nC1,1,2026-11-03,C2\n", "a column twice"),
        ("customer,treated,assigned_at\nC0,1,2026-11-03\nC1,maybe,2026-11-03\n", "line 3: treated"),
        ("customer,treated,assigned_at\nC1,1,yesterday\n", "line 2: assigned_at is no time"),
        ("customer,treated,assigned_at\nC1,1,2999-01-01\n", "in the future"),
        ("customer,treated,assigned_at\n,1,2026-11-03\n", "neither customer nor"),
        ("customer,treated,assigned_at\nC1,1,2026-11-03,2\n", "another number of fields"),
        (f"customer,treated,assigned_at\nC1{'x' * 200},1,2026-11-03\n", "longer than 200"),
    ],
)
def test_a_line_at_fault_is_named_and_nothing_is_recorded(record, text, words):
    code, said, kept = record(text)

    assert (code, kept) == (2, [])
    assert words in said
    assert "C1" not in said


def test_a_clock_may_be_five_minutes_ahead_and_no_more(tmp_path):
    file = tmp_path / "given.csv"
    file.write_text("customer,churned,observed_at\nC1,1,2026-11-03T12:00:00+00:00\n")
    ahead = timedelta(minutes=5)

    assert read_records(file, "outcomes", AT - ahead) == [Outcome(AT, churned=True, customer="C1")]
    with pytest.raises(InputError, match="line 2: observed_at is in the future"):
        read_records(file, "outcomes", AT - ahead - timedelta.resolution)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path, capsys):
    assert main(["outcomes", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
