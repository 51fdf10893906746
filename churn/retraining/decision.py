"""The decision of a loop, and what it does next: a pure function of what it has found."""

from __future__ import annotations

from typing import Literal

from churn.frozen_model import FrozenModel
from churn.monitoring.policy import TriggerDecision, decide_retraining
from churn.promotion.decision import decide
from churn.retraining.evidence import ApprovalFacts, LoopEvidence, Outcome
from churn.retraining.rollout import Judged, judge_canary, judge_probation, judge_shadow

Step = Literal[
    "train", "judge", "shadow", "canary", "approve", "promote", "deploy", "watch", "roll back", "close"
]  # fmt: skip


class LoopDecision(FrozenModel):
    """What was decided, step by step.

    Attributes:
        outcome: `kept`, the champion; `promoted`, the challenger, its probation over; `rolled back`;
            `given up`; `open` while the loop goes on.
        next: what the loop does next; `close` where nothing is left.
        serving: the version that serves now.
        trigger: every rule of the policy with its figures, and what held it.
        judged: each step that was judged, in order.
        reason: the last of them in a sentence.
    """

    outcome: Outcome
    next: Step
    serving: str
    trigger: TriggerDecision
    judged: tuple[Judged, ...]
    reason: str


def decide_loop(found: LoopEvidence) -> LoopDecision:
    """Decides what follows from the evidence: the same evidence, the same decision."""
    given = found.trigger
    trigger = decide_retraining(given.evidence, given.policy, given.now)
    judged = [Judged.of("trigger", trigger.verdict == "retrain", trigger.sentence)]
    outcome, step = _walk(found, judged)
    serving = found.champion
    for each in (found.promotion, found.deployment, found.rollback):
        if each is not None and each.serving:
            serving = each.serving
    return LoopDecision(
        outcome=outcome,
        next=step,
        serving=found.serving or serving,
        trigger=trigger,
        judged=tuple(judged),
        reason=judged[-1].sentence,
    )


def _walk(found: LoopEvidence, judged: list[Judged]) -> tuple[Outcome, Step]:
    if found.stopped and found.promotion is None:
        judged.append(Judged.of("given up", False, found.stopped))
        return "given up", "close"
    if found.training is None:
        return "open", "train"
    judged.append(
        Judged.of("training", found.training.verdict == "promote", found.training.sentence)
    )
    if not judged[-1].passed:
        return "kept", "close"
    if found.training.version == found.champion:
        said = f"Training gave version {found.champion} again, which is in production already."
        judged.append(Judged.of("challenger", False, said))
        return "kept", "close"
    before = _before_it_serves(found, judged)
    if before is not None:
        return before
    return _after_it_serves(found, judged)


def _before_it_serves(found: LoopEvidence, judged: list[Judged]) -> tuple[Outcome, Step] | None:
    """What stands between a trained challenger and its promotion; None where nothing is left."""
    assert found.training is not None  # noqa: S101 - `_walk` has looked
    if found.gates is None:
        return "open", "judge"
    gates = decide(found.gates.gates, challenger=f"version {found.training.version}")
    judged.append(Judged.of("gates", gates.verdict == "promote", gates.sentence))
    if not judged[-1].passed:
        return "kept", "close"
    rules = found.rules
    if rules.shadow.predictions:
        judged.append(judge_shadow(found.shadow, rules.shadow))
        if judged[-1].verdict != "pass":
            return ("open", "shadow") if judged[-1].verdict == "wait" else ("kept", "close")
    if rules.canary.percent:
        judged.append(judge_canary(found.canary, rules.canary))
        if judged[-1].verdict != "pass":
            return ("open", "canary") if judged[-1].verdict == "wait" else ("kept", "close")
    if rules.approval.required:
        approved = found.approval
        if approved is None:
            judged.append(
                Judged(name="approval", verdict="wait", sentence="It waits for a person.")
            )
            return "open", "approve"
        answer = _approval(approved)
        judged.append(answer)
        if not answer.passed:
            return "kept", "close"
    return None


def _approval(given: ApprovalFacts) -> Judged:
    if not given.person:
        return Judged.of("approval", False, "Nobody approved it in time.")
    said = "declined" if given.declined else "approved"
    return Judged.of("approval", not given.declined, f"{given.person} has {said} it.")


def _after_it_serves(found: LoopEvidence, judged: list[Judged]) -> tuple[Outcome, Step]:
    assert found.training is not None  # noqa: S101 - `_walk` has looked
    if found.promotion is None:
        return "open", "promote"
    in_production = found.promotion.serving == found.training.version
    judged.append(Judged.of("promotion", in_production, found.promotion.sentence))
    if not in_production:
        return "kept", "close"
    if found.deployment is None:
        return "open", "deploy"
    serves = found.deployment.status == "deployed"
    judged.append(Judged.of("deployment", serves, found.deployment.sentence))
    if not serves:
        return _rolled_back(found, judged)
    if found.rollback is not None and found.rollback.status == "overtaken":
        return _rolled_back(found, judged)
    if not found.rules.probation.days:
        return "promoted", "close"
    judged.append(judge_probation(found.probation, found.gates, found.rules.probation))
    if judged[-1].verdict == "wait":
        return "open", "watch"
    return ("promoted", "close") if judged[-1].passed else _rolled_back(found, judged)


def _rolled_back(found: LoopEvidence, judged: list[Judged]) -> tuple[Outcome, Step]:
    if found.rollback is None:
        return "open", "roll back"
    judged.append(Judged.of("rollback", True, found.rollback.sentence))
    return "rolled back", "close"
