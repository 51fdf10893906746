"""Checks a window of customers against the reference of the version in production."""

from collections.abc import Sequence
from typing import Annotated, Any

from zenml import step

from churn.ledger.drift_checks import DriftLedger
from churn.ledger.risk_checks import RISK, RiskLedger
from churn.monitoring.alarms import WindowCheck
from churn.monitoring.drift_check import CheckResult
from churn.monitoring.incident_alerts import incident_alerts, risk_alert
from churn.monitoring.risk_test import RiskCheck
from churn.reports.monitoring_report import MonitoringReport, monitoring_report
from churn.settings.monitoring import MonitoringSettings
from churn.windows.check_window import compare, record
from churn.windows.consequence import Consequence, consequence
from churn.windows.opened_window import OpenedWindow, open_window
from churn.windows.read_realised import Realised, read_realised
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.alerting import send_alerts
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def check_window(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[MonitoringReport, Artifact.MONITORING_REPORT]:
    """Compares the window, measures what outcomes say, keeps both in the ledger, and says what follows.

    Raises:
        InputError: nothing is in production, the window cannot be read, or the ledger cannot be used.
    """
    ledger = folders["ledger"]
    with (
        step_progress("check_window") as progress,
        DriftLedger(ledger) as drift,
        RiskLedger(ledger) as risks,
    ):
        options = MonitoringSettings.from_mapping(settings)
        model, opened = options.model.name, open_window(options, folders)
        realised = read_realised(options, folders, opened, risks)
        result, cost = _compared(options, opened, realised)
        _resolve(options, opened, drift, risks)
        version = opened.scorer.version
        state, checks = record(
            drift, opened.window, result, model=model, version=version, policy=options.alarms
        )
        risk = risks.advance(model, version, realised.window.until, realised.risk_after)
        alarm = risks.open_alarm(model, version)
        report = monitoring_report(
            state,
            checks,
            opened.window.facts,
            levels=(options.alarms.alarm_level, options.alarms.watch_level),
            consequence=cost,
            realised=realised.window,
            risk=risk,
            risk_alarm=alarm,
        )
        progress.record(report.sentence, report.figures)
        _send_alerts(drift, model, checks, alarm)
    return report


def _compared(
    options: MonitoringSettings, opened: OpenedWindow, realised: Realised
) -> tuple[CheckResult, Consequence | None]:
    """What the check finds, and what that is estimated to cost where there is a reference."""
    window, scorer, reference = opened.window, opened.scorer, opened.reference
    result = compare(
        window,
        reference,
        options.alarms,
        classifier=options.classifier,
        contract=scorer.contract,
    )
    if isinstance(reference, str):
        return result, None
    return result, consequence(window, scorer, reference, options.value, realised.known)


def _resolve(
    options: MonitoringSettings, opened: OpenedWindow, drift: DriftLedger, risks: RiskLedger
) -> None:
    """Closes what is open, the drift alarm or the risk alarm or both, in a person's name.

    Raises:
        InputError: nothing is open.
    """
    if not options.resolve.person:
        return
    said, model = options.resolve.model_dump(), options.model.name
    closed = risks.resolve_alarm(model, opened.scorer.version, **said)
    kind = opened.window.facts.kind
    if not closed or drift.alarm_state(model, kind).alarm is not None:
        drift.resolve_alarm(model, kind, **said)


def _send_alerts(
    drift: DriftLedger, model: str, checks: Sequence[WindowCheck], alarm: RiskCheck | None
) -> None:
    """Sends what no earlier run has sent; only then the ledger says that it was sent.

    So a run that dies in between leaves its alerts to the next, which may send some a second time.
    """
    newest = checks[-1]
    before = drift.alerts_sent_until(model, newest.kind)
    alerts = incident_alerts(checks, drift.resolutions(model, newest.kind), before)
    send_alerts(*alerts)
    if before is None or newest.number > before:
        drift.record_sent_alerts(model, newest.kind, newest.number)
    if alarm is not None and alarm.number > (drift.alerts_sent_until(model, RISK) or 0):
        send_alerts(risk_alert(model, alarm))
        drift.record_sent_alerts(model, RISK, alarm.number)
