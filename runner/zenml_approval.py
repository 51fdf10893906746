"""A person's answer in ZenML: its wait condition in a paused run of the pipeline `approval`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from churn.root import ROOT


@dataclass(frozen=True)
class Answer:
    """What a person has answered.

    Attributes:
        person: who, by their name in ZenML.
        approved: whether the answer is yes; anything else declines.
        at: when they did.
    """

    person: str
    approved: bool
    at: datetime


def ask_in_zenml(condition: str, question: str) -> Answer | None:
    """Returns the answer to a question; None while nobody has answered. The first call asks it.

    Args:
        condition: name of the wait condition, the same for every call about one challenger.
        question: that a person reads.
    """
    from zenml.client import Client
    from zenml.enums import RunWaitConditionResolution, RunWaitConditionStatus
    from zenml.utils.time_utils import to_utc_timezone

    client = Client()
    conditions = client.list_run_wait_conditions(name=condition, hydrate=True).items
    if not conditions:
        _ask(condition, question)
        return None
    newest = max(conditions, key=lambda each: each.created)
    if newest.status == RunWaitConditionStatus.PENDING:
        return None
    answered_by = newest.get_body().resolved_by_user_id
    return Answer(
        person=client.get_user(answered_by).name if answered_by else "somebody in ZenML",
        approved=newest.resolution == RunWaitConditionResolution.CONTINUE and newest.result is True,
        at=to_utc_timezone(newest.resolved_at or newest.updated),
    )


def _ask(condition: str, question: str) -> None:
    """Starts the run, which pauses at its question."""
    from zenml.utils.source_utils import set_custom_source_root

    from pipelines.approval import approval

    set_custom_source_root(str(ROOT))
    approval(question=question, condition=condition)
