"""Months with a stale champion: each table is measured once, and of a month the later table counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from churn.ledger.stale_months import StaleLedger
from churn.monitoring.staleness import StaleMonth


def month(number, lost, day=28):
    until = datetime(2026, number, day, tzinfo=UTC)
    return StaleMonth(until=until, lost=lost, error=1.5, basis="realised")


@pytest.fixture
def ledger(tmp_path):
    with StaleLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def test_months_come_back_as_they_were_in_their_order(ledger):
    ledger.record("telco", "1", "b" * 64, month(6, -20.25), month="2026-06")
    ledger.record("telco", "1", "a" * 64, month(5, 10.5), month="2026-05")

    assert ledger.months("telco", "1") == (month(5, 10.5), month(6, -20.25))


def test_of_two_tables_of_a_month_the_later_counts(ledger):
    ledger.record("telco", "1", "a" * 64, month(5, 10.0, day=2), month="2026-05")
    ledger.record("telco", "1", "b" * 64, month(5, 30.0, day=31), month="2026-05")

    assert ledger.months("telco", "1") == (month(5, 30.0, day=31),)


def test_a_month_is_that_of_the_customers_whenever_their_outcomes_are_known(ledger):
    ledger.record("telco", "1", "a" * 64, month(3, 300.0, day=14), month="2026-01")
    ledger.record("telco", "1", "b" * 64, month(3, 10.0, day=20), month="2026-02")
    ledger.record("telco", "1", "c" * 64, month(4, 280.0, day=14), month="2026-02")

    assert [each.lost for each in ledger.months("telco", "1")] == [300.0, 280.0]


def test_another_version_or_model_has_months_of_its_own(ledger):
    ledger.record("telco", "1", "a" * 64, month(5, 10.0), month="2026-05")

    assert ledger.is_measured("telco", "1", "a" * 64)
    assert not ledger.is_measured("telco", "1", "b" * 64)
    for model, version in (("telco", "2"), ("other", "1")):
        assert not ledger.is_measured(model, version, "a" * 64)
        assert ledger.months(model, version) == ()
