"""Alerts through the stack's alerter, if it has one; no run ever fails for it."""

import logging

from zenml import get_step_context
from zenml.client import Client

from churn.alert import Alert, Alerting, Level
from registry.step_context import in_step

_LOG = logging.getLogger("churn.progress")


def send_alert(title: str, text: str, level: Level = "info") -> None:
    """Sends a message, which must not name a customer.

    Does nothing outside of runs and on a stack without an alerter.
    """
    if not in_step():
        return
    try:
        alerter = Client().active_stack.alerter
        if alerter is None:
            return
        message = _in_this_run(title, text, level)
        if isinstance(alerter, Alerting):
            alerter.deliver(message)
        else:
            alerter.post(message.whole)
    except Exception as error:  # noqa: BLE001 - whatever an alerter does, no run depends on it
        _LOG.warning(
            f"The alert was not sent: the stack's alerter broke off with {type(error).__name__}; "
            "no run depends on it.",
            extra={"step": "alert", "event": "warned"},
        )


def _in_this_run(title: str, text: str, level: Level) -> Alert:
    from zenml.utils.dashboard_utils import get_run_url

    run = get_step_context().pipeline_run
    return Alert(
        title=title,
        text=text,
        level=level,
        run=run.name,
        pipeline=run.pipeline.name if run.pipeline else None,
        dashboard=get_run_url(run),
    )
