"""Hook for failed steps: one line for the person watching, whatever the orchestrator."""

import logging

from zenml import get_step_context

from churn.errors import ChurnError, one_line
from steps.alerting import send_alert

_LOG = logging.getLogger("churn.progress")


def report_failure(exception: BaseException) -> None:
    """Logs the failed step and the reason in one line, and sends both as an alert.

    The runner attaches this to every pipeline.
    """
    context = get_step_context()
    name = context.step_run.name
    sentence = one_line(exception) or type(exception).__name__
    _LOG.error(sentence, extra={"step": name, "event": "failed"})
    if isinstance(exception, Exception):
        pipeline = context.pipeline.name
        send_alert(
            f"{pipeline} stopped at {name.replace('_', ' ')}",
            _sendable(exception),
            "error",
            runbook="docs/runbooks.md#run-stopped",
        )


def _sendable(exception: Exception) -> str:
    """Returns what may leave this machine: other errors may quote a row or an address."""
    if isinstance(exception, ChurnError):
        return one_line(exception)
    return f"It broke off with {type(exception).__name__}; the run's log says more."
