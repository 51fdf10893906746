"""Alarms of the risk test in the ledger: each version has its own."""

from __future__ import annotations

from datetime import UTC, datetime

from churn.ledger.risk_checks import RiskLedger
from churn.monitoring.risk_test import RiskTest

MONDAY = datetime(2026, 11, 30, 6, tzinfo=UTC)
ALARMING = RiskTest(
    bound=0.2, known_risk=0.15, level=0.05, tolerance=0.002, outcomes=900, total=400, alarmed_at=700
)


def test_whoever_accepts_the_alarm_of_one_version_accepts_no_other_s(tmp_path):
    with RiskLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        first, second = (
            ledger.advance("m", version, MONDAY, lambda _: ALARMING) for version in ("1", "2")
        )

        assert ledger.resolve_alarm("m", "2", person="Ada")
        assert (ledger.open_alarm("m", "1"), ledger.open_alarm("m", "2")) == (first, None)
        assert (first.number, second.number) == (1, 2)

        assert ledger.resolve_alarm("m", "1", person="Ada")
        assert ledger.open_alarm("m", "1") is None
        assert not ledger.resolve_alarm("m", "1", person="Ada")
