"""Checks a window of customers against the reference of the version in production."""

from typing import Annotated, Any

from zenml import step

from churn.ledger.drift_checks import DriftLedger
from churn.monitoring.incident_alerts import incident_alerts
from churn.reports.monitoring_report import MonitoringReport, monitoring_report
from churn.settings.monitoring import MonitoringSettings
from churn.windows.check_window import compare, record
from churn.windows.consequence import consequence
from churn.windows.opened_window import open_window
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.alerting import send_alerts
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def check_window(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[MonitoringReport, Artifact.MONITORING_REPORT]:
    """Compares the window, keeps the check in the ledger, and says what follows.

    Raises:
        InputError: nothing is in production, the window cannot be read, or the ledger cannot be used.
    """
    with step_progress("check_window") as progress:
        options = MonitoringSettings.from_mapping(settings)
        opened = open_window(options, folders)
        result = compare(
            opened.window, opened.reference, options.alarms, classifier=options.classifier
        )
        cost = None
        if not isinstance(opened.reference, str):
            cost = consequence(opened.window, opened.scorer, opened.reference, options.value)
        with DriftLedger(folders["ledger"]) as ledger:
            if options.resolve.person:
                kind = opened.window.facts.kind
                ledger.resolve_alarm(options.model.name, kind, **options.resolve.model_dump())
            state, checks = record(
                ledger,
                opened.window,
                result,
                model=options.model.name,
                version=opened.scorer.version,
                policy=options.alarms,
            )
            resolutions = ledger.resolutions(options.model.name, opened.window.facts.kind)
        report = monitoring_report(
            state,
            checks,
            opened.window.facts,
            levels=(options.alarms.alarm_level, options.alarms.watch_level),
            consequence=cost,
        )
        progress.record(report.sentence, report.figures)
    if not state.already_checked:
        send_alerts(*incident_alerts(checks, resolutions))
    return report
