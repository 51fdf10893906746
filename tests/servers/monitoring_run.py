"""A monitoring run's report with an alarm, as a run would have made it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from churn.ledger.settled_outcomes import OutcomeCounts
from churn.monitoring.alarms import AlarmState, WindowCheck
from churn.monitoring.drift_check import CheckResult, ColumnDrift
from churn.monitoring.estimated_performance import estimate_performance
from churn.monitoring.realised_performance import Treatment, measure_realised
from churn.monitoring.risk_test import RiskCheck, squared_errors, start_risk_test
from churn.reports.monitoring_report import MonitoringReport, monitoring_report
from churn.windows.consequence import Consequence
from churn.windows.realised_window import RealisedWindow
from churn.windows.window import WindowFacts


def monitoring_run(model: str = "telco-churn") -> MonitoringReport:
    """One check of 500 customers, whose charges have moved, with the outcomes of 500 others."""
    columns = [
        ColumnDrift(name=name, p_value=p_value, psi=psi, psi_expected=0.02, unknown=0)
        for name, p_value, psi in (("MonthlyCharges", 1e-9, 0.3), ("gender", 0.4, 0.01))
    ]
    result = CheckResult(
        finding="watch", reason="Something moved.", rows=500, reference_rows=7043, p_value=1e-5,
        score_gap=0.08, score_gap_expected=0.04, classifier_roc_auc=0.61, columns=tuple(columns),
    )  # fmt: skip
    check = WindowCheck(
        model=model, version="7", kind="batch", window="digest", number=1,
        checked_at=datetime.now(UTC), spent=0.001, raises_alarm=True, moved=("MonthlyCharges",),
        result=result,
    )  # fmt: skip
    realised, risk, consequence = _by_outcomes()
    return monitoring_report(
        AlarmState(verdict="alarm", check=check, alarm=check),
        [check],
        WindowFacts(kind="batch", id="digest", place="customers.csv", rows=500),
        levels=(0.001, 0.05),
        realised=realised,
        risk=risk,
        consequence=consequence,
    )


def _by_outcomes() -> tuple[RealisedWindow, RiskCheck, Consequence]:
    generator = np.random.default_rng(17)
    score = generator.beta(1.2, 3.0, 500)
    target = (generator.random(500) < score).astype(np.int8)
    since, until = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    places = np.arange(500)
    realised = RealisedWindow(
        since=since,
        until=until,
        counts=OutcomeCounts(predictions=520, measured=500, not_due=20),
        customers=500,
        with_inputs=0,
        performance=measure_realised(
            target, score, treatment=Treatment(places < 100, (places >= 100) & (places < 150))
        ),
    )
    losses = squared_errors(target, score)
    risk = RiskCheck(
        version="7", number=1, checked_at=until, until=until, raises_alarm=False,
        test=start_risk_test(losses[:250]).after(losses[250:]),
    )  # fmt: skip
    before, now = estimate_performance(score), estimate_performance(score)
    weighted = estimate_performance(score, method="PAPE")
    return (
        realised,
        risk,
        Consequence(before=before, now=now, weighted=weighted, money="USD", assumptions=()),
    )
