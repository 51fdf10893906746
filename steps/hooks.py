"""What happens when a step fails: one line for the person watching, whatever the orchestrator."""

import logging

from zenml import get_step_context

from churn.errors import ChurnError, one_line
from steps.alerting import send_alert

_LOG = logging.getLogger("churn.progress")


def report_failure(exception: BaseException) -> None:
    """Names the step that failed and why, in one line; and tells it to the stack's alerter.

    The runner attaches this to every pipeline, so that no pipeline has to think of it.
    """
    context = get_step_context()
    name = context.step_run.name
    sentence = one_line(exception) or type(exception).__name__
    _LOG.error(sentence, extra={"step": name, "event": "failed"})
    if isinstance(exception, Exception):
        pipeline = context.pipeline.name
        send_alert(f"{pipeline} stopped at {name.replace('_', ' ')}", _sendable(exception), "error")


def _sendable(exception: Exception) -> str:
    """What may leave this machine: our own sentences; others' may quote a row or an address."""
    if isinstance(exception, ChurnError):
        return one_line(exception)
    return f"It broke off with {type(exception).__name__}; the run's log says more."
