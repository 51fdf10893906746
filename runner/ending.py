"""A run that went on elsewhere ends as one here does: with the failed step's own error.

An orchestrator that starts each step in a container gives the run back whatever became of it; what
went wrong is only written down on its server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.errors import BundleError, ChurnError, GateError, InputError, one_line

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse, StepRunResponse

_OURS = {each.__name__: each for each in (BundleError, ChurnError, GateError, InputError)}


def require_success(run: PipelineRunResponse) -> None:
    """Lets a run pass that completed; one whose steps ran in this process always did.

    Raises:
        InputError: a step refused its input; likewise every other error of this project's own.
        ChurnError: a step failed otherwise, or the run was stopped or is not over.
    """
    if run.status.is_successful:
        return
    # A step whose container never came up is left at 'retrying', and failed all the same.
    failed = sorted(
        (step for step in run.steps.values() if not step.status.is_successful),
        key=lambda step: (not step.status.is_failed, step.end_time is None, step.end_time),
    )
    if not run.status.is_failed:
        failed = []
    if failed:
        raise _error(run, failed[0])
    raise ChurnError(
        f"Run '{run.name}' is {run.status.value}, and no step of it says why; its page on the ZenML "
        "server and the log of its orchestrator's pod may."
    )


def _error(run: PipelineRunResponse, step: StepRunResponse) -> ChurnError:
    told = step.exception_info
    if told is None:
        return ChurnError(
            f"Step '{step.name}' of run '{run.name}' ended before it could say why: it may have "
            "been killed for the memory it took, or its container may not have started; the log "
            "of its pod tells."
        )
    message = one_line(told.message or "")
    kind = (told.source or "").rpartition(".")[2]
    if kind in _OURS and (told.source or "").startswith("churn.errors."):
        return _OURS[kind](message)
    return ChurnError(
        f"Step '{step.name}' failed: {kind or 'an error'}: {message.rstrip('.') or 'no reason given'}."
    )
