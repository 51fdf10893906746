"""Monitoring: does a window of customers still look like the training rows?"""

from typing import Any

from zenml import pipeline

from steps.monitoring.check_window import check_window
from steps.monitoring.publish_figures import publish_figures
from steps.monitoring.track_figures import track_figures
from steps.monitoring.validate_window import validate_window


@pipeline(name="monitoring")
def monitoring(
    settings: dict[str, Any],
    folders: dict[str, str],
    tracker: dict[str, str] | None,
    validator: str | None = None,
) -> None:
    """Wires the steps; `settings` are `MonitoringSettings`, `folders` bundle stores, ledger and metrics.

    A stack without a tracker does not track the run, and one without a `validator` has no second
    opinion. The check comes first: whatever happens to the rest, the ledger has it.
    """
    report = check_window(settings, folders)
    publish_figures(report, settings, folders)
    if tracker is not None:
        experiment = {"experiment_tracker": {"experiment_name": settings["model"]["name"]}}
        tracked = track_figures.with_options(
            experiment_tracker=tracker["name"], settings=experiment
        )
        tracked(report, tracker["experiment"])
    if validator is not None:
        validate_window(settings, folders, validator, after=[report])
