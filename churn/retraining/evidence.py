"""What a retraining loop has found so far: everything that its decision follows from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from churn.frozen_model import FrozenModel
from churn.monitoring.policy import RetrainingEvidence, RetrainingPolicy
from churn.promotion.decision import Gate, Verdict
from churn.settings.retraining_rules import LoopRules


class TriggerInputs(FrozenModel):
    """What the trigger policy was asked."""

    evidence: RetrainingEvidence
    policy: RetrainingPolicy
    now: AwareDatetime


class SnapshotFacts(FrozenModel):
    """The new labelled snapshot.

    Attributes:
        location: where it lies, for people.
        source: as `data.source` names it.
        sha256: of its bytes.
        contract: digest of the contract, and of how it has tables read.
        rows: customers.
        latest: day of its newest row, or that it was stated to be of; empty where nobody knows.
    """

    location: str
    source: str
    sha256: str
    contract: str
    rows: int = Field(ge=0)
    latest: str = ""


class TrainingFacts(FrozenModel):
    """What training has made of it.

    Attributes:
        version: of the challenger.
        verdict: of its gates.
        sentence: the same in words.
        news: shifts against the accepted table, a sentence each: news, no reason to refuse.
    """

    version: str
    verdict: Verdict
    sentence: str
    news: tuple[str, ...] = ()


class GateFacts(FrozenModel):
    """Every gate of the promotion, as judged on the rows of the new snapshot."""

    gates: tuple[Gate, ...] = Field(min_length=1)
    gate_rows: str = ""


class ApprovalFacts(FrozenModel):
    """A person's answer.

    Attributes:
        person: who answered; empty: nobody within the time for it.
        note: what they said.
        declined: whether the answer is no.
    """

    person: str
    note: str = ""
    declined: bool = False


class ServiceCounts(FrozenModel):
    """What one replica of a service has answered since it started.

    Attributes:
        requests: answered.
        errors: of them, with a server error.
        seconds: that all of them took.
    """

    requests: int = Field(ge=0)
    errors: int = Field(ge=0)
    seconds: float = Field(ge=0)

    def since(self, before: ServiceCounts) -> ServiceCounts:
        """What was answered since `before`; all of it where the service was started anew."""
        if before.requests > self.requests:
            return self
        return ServiceCounts(
            requests=self.requests - before.requests,
            errors=max(0, self.errors - before.errors),
            seconds=max(0.0, self.seconds - before.seconds),
        )


def answered_since(
    now: Sequence[ServiceCounts], before: Sequence[ServiceCounts]
) -> tuple[float, float]:
    """Share of server errors, and mean milliseconds of a request, of all replicas since `before`."""
    each = [one.since(then) for one, then in zip(now, before, strict=True)]
    requests = max(1, sum(one.requests for one in each))
    errors = sum(one.errors for one in each)
    return errors / requests, 1000 * sum(one.seconds for one in each) / requests


def _of_replicas(given: Any) -> Any:
    """Records of before there could be several have one, or None."""
    if given is None:
        return ()
    return given if isinstance(given, list | tuple) else (given,)


class Compared(FrozenModel):
    """The challenger beside the champion, by the predictions in the ledger.

    Attributes:
        predictions: of the challenger.
        missing: answers that it should have scored and did not.
        mean: of its probabilities; None where it has none.
        champion_mean: of the champion's.
        errors: share of the service's requests that ended in a server error, 1 where a replica of it
            does not answer; None: not measured.
        latency_ms: mean time of a request; None: not measured.
        days: since it began.
    """

    predictions: int = Field(default=0, ge=0)
    missing: int = Field(default=0, ge=0)
    mean: float | None = None
    champion_mean: float | None = None
    errors: float | None = None
    latency_ms: float | None = None
    days: float = 0.0


class ServedFacts(FrozenModel):
    """How a promotion, a deployment or a rollback ended.

    Attributes:
        status: as its own record has it.
        serving: the version in production afterwards; None for none.
        sentence: the same in words.
    """

    status: str
    serving: str | None
    sentence: str


class ProbationFacts(FrozenModel):
    """How the challenger does in production, by the last look at it.

    All limits are those of a look: together all looks are wrong in at most 5% of the probations.

    Attributes:
        look: which look it is; 0 before the first.
        outcomes: that were known.
        predictions: that it had given.
        roc_auc: by the outcomes, with its upper limit; None where they cannot tell.
        roc_auc_upper: its upper limit.
        churn_rate: by the outcomes, with its limits.
        churn_rate_lower: its lower limit.
        churn_rate_upper: its upper limit.
        mean: of the probabilities of those customers.
        estimated: ROC-AUC by the scores alone (CBPE).
        estimated_upper: its upper limit.
        days: for which it was watched.
    """

    look: int = Field(default=0, ge=0)
    outcomes: int = Field(default=0, ge=0)
    predictions: int = Field(default=0, ge=0)
    roc_auc: float | None = None
    roc_auc_upper: float | None = None
    churn_rate: float | None = None
    churn_rate_lower: float | None = None
    churn_rate_upper: float | None = None
    mean: float | None = None
    estimated: float | None = None
    estimated_upper: float | None = None
    days: float = 0.0


class LoopEvidence(FrozenModel):
    """All that a loop has found; None where it has not come so far.

    Attributes:
        champion: the version in production when it began.
        rules: after the gates.
        service: what each replica of the service had answered when the canary was first measured.
        serving: the version in production, where another command has put it there meanwhile.
        stopped: why it was given up before its end; empty where it was not.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    trigger: TriggerInputs
    snapshot: SnapshotFacts
    champion: str
    code: str
    rules: LoopRules
    training: TrainingFacts | None = None
    gates: GateFacts | None = None
    shadow: Compared | None = None
    canary: Compared | None = None
    service: Annotated[tuple[ServiceCounts, ...], BeforeValidator(_of_replicas)] = ()
    approval: ApprovalFacts | None = None
    promotion: ServedFacts | None = None
    deployment: ServedFacts | None = None
    probation: ProbationFacts | None = None
    rollback: ServedFacts | None = None
    serving: str = ""
    stopped: str = ""


Outcome = Literal["open", "kept", "promoted", "rolled back", "given up"]
