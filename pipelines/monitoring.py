"""Monitoring: does a window of customers still look like the training rows?"""

from typing import Any

from zenml import pipeline

from steps.monitoring.check_window import check_window


@pipeline(name="monitoring")
def monitoring(
    settings: dict[str, Any],
    folders: dict[str, str],
    tracker: dict[str, str] | None,
    validator: str | None = None,
) -> None:
    """Wires the steps; `settings` are `MonitoringSettings`, `folders` bundle stores and ledger."""
    check_window(settings, folders)
