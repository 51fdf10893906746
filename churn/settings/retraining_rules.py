"""Rules of a retraining loop after its gates: what a challenger must show before and after it serves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from churn.frozen_model import FrozenSettings
from churn.ledger.settled_outcomes import OutcomeTiming

Share = Annotated[float, Field(gt=0, le=1)]
Days = Annotated[float, Field(gt=0, le=366)]


def _as_addresses(given: Any) -> Any:
    """One address may stand without brackets, and an empty one is none."""
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(given) if isinstance(given, list) else given


class ShadowRules(FrozenSettings):
    """The challenger scores beside the champion, and nobody gets its answers.

    Attributes:
        predictions: so many customers must have been scored by both; 0: no shadow period.
        most_missing: share of the answers that the shadow may have failed to score.
        most_shift: by how much the mean probability may differ from the champion's.
        days: after which it is held, if too few customers came.
    """

    predictions: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    most_missing: Annotated[float, Field(ge=0, lt=1)] = 0.01
    most_shift: Share = 0.1
    days: Days = 14


class CanaryRules(FrozenSettings):
    """The challenger answers a share of the customers.

    Attributes:
        percent: of the customers; 0: no canary.
        predictions: so many answers must have been given by it.
        most_errors: share of the service's requests that may end in a server error meanwhile.
        most_latency_ms: what a request may take, on average, meanwhile.
        most_shift: by how much its mean probability may differ from the champion's.
        days: after which it is held, if too few customers came.
        watch_minutes: how long the start that begins it stays and measures it every 15 seconds; 0:
            it is measured at each start.
        service: address of the service whose errors and latency count, or a list of its replicas';
            empty for that of the deployment to this machine, elsewhere none.
    """

    percent: Annotated[float, Field(ge=0, lt=100)] = 0.0
    predictions: Annotated[int, Field(ge=1, le=10_000_000)] = 500
    most_errors: Annotated[float, Field(ge=0, lt=1)] = 0.01
    most_latency_ms: Annotated[float, Field(gt=0, le=60_000)] = 50.0
    most_shift: Share = 0.1
    days: Days = 14
    watch_minutes: Annotated[float, Field(ge=0, le=1440)] = 0.0
    service: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_addresses)
    ] = ()


class ApprovalRules(FrozenSettings):
    """A person's approval before the challenger serves.

    Attributes:
        required: whether one is needed.
        in_zenml: whether ZenML asks, too: a run of the pipeline `approval` waits there for an answer.
        days: after which the challenger is held if nobody has approved it.
    """

    required: bool = False
    in_zenml: bool = False
    days: Days = 14


class ProbationRules(FrozenSettings):
    """The time after a promotion in which a fall of performance rolls it back.

    Attributes:
        days: how long; 0: no probation.
        least_outcomes: so many known outcomes judge.
        most_fall: by how much the ROC-AUC may surely lie below that of the gate rows.
        most_rate_gap: by how much the churn rate may surely differ from the mean probability.
        timing: when an outcome counts.
    """

    days: Annotated[float, Field(ge=0, le=366)] = 45.0
    least_outcomes: Annotated[int, Field(ge=50, le=10_000_000)] = 200
    most_fall: Share = 0.03
    most_rate_gap: Share = 0.05
    timing: OutcomeTiming = OutcomeTiming()


class LoopRules(FrozenSettings):
    """What stands between the gates and the end of a loop."""

    shadow: ShadowRules = ShadowRules()
    canary: CanaryRules = CanaryRules()
    approval: ApprovalRules = ApprovalRules()
    probation: ProbationRules = ProbationRules()
