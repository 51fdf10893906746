"""Context of the step that is running; a unit test calls a step's function without one."""

from zenml import get_step_context
from zenml.steps import StepContext


def step_context() -> StepContext | None:
    """Returns ZenML's context of the running step; None outside of runs."""
    try:
        return get_step_context()
    except RuntimeError:
        return None


def in_step() -> bool:
    """Whether ZenML is running this code as a step."""
    return step_context() is not None
