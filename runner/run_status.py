"""Status of a finished run: a run that failed elsewhere raises the error of its failed step.

An orchestrator that starts each step in a container returns the run however it ended; the error is
only stored on the ZenML server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.errors import BundleError, ChurnError, GateError, InputError, one_line

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse, StepRunResponse

_OWN_ERRORS = {each.__name__: each for each in (BundleError, ChurnError, GateError, InputError)}


def raise_for_status(run: PipelineRunResponse) -> None:
    """Does nothing for a completed run; a run in this process has raised its error already.

    Raises:
        InputError: a step refused its input; likewise every other error of this project's own.
        ChurnError: a step failed otherwise, or the run was stopped or is not over.
    """
    if run.status.is_successful:
        return
    # A step whose container never started stays at 'retrying', and failed all the same.
    failed = sorted(
        (step for step in run.steps.values() if not step.status.is_successful),
        key=lambda step: (not step.status.is_failed, step.end_time is None, step.end_time),
    )
    if run.status.is_failed and failed:
        raise _step_error(run, failed[0])
    raise ChurnError(
        f"Run '{run.name}' is {run.status.value}, and no step of it says why; its page on the ZenML "
        "server and the log of its orchestrator's pod may."
    )


def _step_error(run: PipelineRunResponse, step: StepRunResponse) -> ChurnError:
    stored = step.exception_info
    if stored is None:
        return ChurnError(
            f"Step '{step.name}' of run '{run.name}' ended before it could say why: it may have "
            "been killed for the memory it took, or its container may not have started; see the "
            "log of its pod."
        )
    message = one_line(stored.message or "")
    source = stored.source or ""
    kind = source.rpartition(".")[2]
    if kind in _OWN_ERRORS and source.startswith("churn.errors."):
        return _OWN_ERRORS[kind](message)
    return ChurnError(
        f"Step '{step.name}' failed: {kind or 'an error'}: {message.rstrip('.') or 'no reason given'}."
    )
