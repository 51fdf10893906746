"""The run that a step is part of; outside of one, in a unit test, there is none."""

from zenml import get_step_context
from zenml.steps import StepContext


def step_context() -> StepContext | None:
    """What ZenML knows of the step that is running; None where nothing but the function runs."""
    try:
        return get_step_context()
    except RuntimeError:
        return None


def in_step() -> bool:
    """Whether ZenML is running this code as a step (a unit test calls it without one)."""
    return step_context() is not None
