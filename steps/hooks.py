"""What happens when a step fails: one line for the person watching, whatever the orchestrator."""

import logging

from zenml import get_step_context

_LOG = logging.getLogger("churn.progress")


def report_failure(exception: BaseException) -> None:
    """Names the step that failed and why, in one line.

    The runner attaches this to every pipeline, so that no pipeline has to think of it.
    """
    name = get_step_context().step_run.name
    sentence = " ".join(str(exception).split()) or type(exception).__name__
    _LOG.error(sentence, extra={"step": name, "event": "failed"})
