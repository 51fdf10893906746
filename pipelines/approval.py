"""Approval: asks a person in ZenML whether a challenger may serve. The run pauses at once and keeps the question."""

from zenml import pipeline, wait


@pipeline(name="approval", dynamic=True, enable_cache=False)
def approval(question: str, condition: str) -> None:
    """Asks; the answer is a wait condition of ZenML's, which the retraining loop reads at its next start.

    Args:
        question: that the person reads.
        condition: name of the wait condition.
    """
    wait(schema=bool, question=question, name=condition, timeout=0, poll_interval=1)
