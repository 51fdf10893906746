"""A monitoring run's report with an alarm, as a run would have made it."""

from __future__ import annotations

from datetime import UTC, datetime

from churn.monitoring.alarms import AlarmState, WindowCheck
from churn.monitoring.drift_check import CheckResult, ColumnDrift
from churn.reports.monitoring_report import MonitoringReport, monitoring_report
from churn.windows.window import WindowFacts


def monitoring_run(model: str = "telco-churn") -> MonitoringReport:
    """One check of 500 customers, whose charges have moved."""
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
    return monitoring_report(
        AlarmState(verdict="alarm", check=check, alarm=check),
        [check],
        WindowFacts(kind="batch", id="digest", place="customers.csv", rows=500),
        levels=(0.001, 0.05),
    )
