"""Judges a challenger beside the champion, and on probation: by figures, limits and a sentence each."""

from __future__ import annotations

from typing import Literal, Self

from churn.frozen_model import FrozenModel
from churn.promotion.floor_gates import RANKS_WELL
from churn.retraining.evidence import Compared, GateFacts, ProbationFacts
from churn.settings.retraining_rules import CanaryRules, ProbationRules, ShadowRules


class Judged(FrozenModel):
    """One step of a loop, judged.

    Attributes:
        name: of the step.
        verdict: `wait` where too little is known yet.
        sentence: why.
    """

    name: str
    verdict: Literal["pass", "fail", "wait"]
    sentence: str

    @classmethod
    def of(cls, name: str, passed: bool, sentence: str) -> Self:
        """Returns a step that is decided."""
        return cls(name=name, verdict="pass" if passed else "fail", sentence=sentence)

    @property
    def passed(self) -> bool:
        """Whether the loop may go on."""
        return self.verdict == "pass"


def judge_shadow(seen: Compared | None, rules: ShadowRules) -> Judged:
    """Whether the challenger scored everybody, and about as the champion does."""
    seen = seen or Compared()
    scored = f"The shadow has scored {seen.predictions:,} of {rules.predictions:,} customers"
    answers = seen.predictions + seen.missing
    missing = seen.missing / answers if answers else 0.0
    # Early on one answer is a large share: only what lies beyond the whole allowance counts.
    if seen.missing > max(1.0, rules.most_missing * max(answers, rules.predictions)):
        said = (
            f"The shadow failed to score {seen.missing:,} of {answers:,} customers ({missing:.1%})."
        )
        return Judged.of("shadow", False, said)
    if seen.predictions < rules.predictions:
        return _too_few("shadow", scored, seen.days, rules.days)
    return _not_shifted("shadow", scored, seen, rules.most_shift)


def judge_canary(seen: Compared | None, rules: CanaryRules) -> Judged:
    """Whether the service stayed sound while the challenger answered its share."""
    seen = seen or Compared()
    answered = f"The canary has answered {seen.predictions:,} of {rules.predictions:,} customers"
    if seen.errors is not None and seen.errors >= 1:
        said = (
            "A replica of the service did not answer, or the service gave nothing but server errors, "
            "while the canary was there."
        )
        return Judged.of("canary", False, said)
    if seen.errors is not None and seen.errors > rules.most_errors:
        said = f"{seen.errors:.1%} of the requests ended in a server error; {rules.most_errors:.1%} may."
        return Judged.of("canary", False, said)
    if seen.latency_ms is not None and seen.latency_ms > rules.most_latency_ms:
        said = f"A request took {seen.latency_ms:.1f} ms; {rules.most_latency_ms:g} ms are allowed."
        return Judged.of("canary", False, said)
    if seen.predictions < rules.predictions:
        return _too_few("canary", answered, seen.days, rules.days)
    return _not_shifted("canary", answered, seen, rules.most_shift)


def _too_few(name: str, said: str, days: float, most: float) -> Judged:
    if days > most:
        return Judged.of(name, False, f"{said} in {most:g} days: too few to tell.")
    return Judged(name=name, verdict="wait", sentence=f"{said} so far.")


def _not_shifted(name: str, said: str, seen: Compared, most: float) -> Judged:
    if seen.mean is None or seen.champion_mean is None:
        return Judged.of(name, False, f"{said}, but the champion's scores are not known.")
    moved = seen.mean - seen.champion_mean
    return Judged.of(
        name,
        abs(moved) <= most,
        f"{said}; its mean probability is {seen.mean:.3f}, the champion's {seen.champion_mean:.3f} "
        f"({moved:+.3f}, {most:g} is allowed).",
    )


def judge_probation(
    seen: ProbationFacts | None, gates: GateFacts | None, rules: ProbationRules
) -> Judged:
    """Whether the challenger does in production as the gate rows promised."""
    seen = seen or ProbationFacts()
    promised = _promised(gates)
    fall = _fall(seen, promised, rules)
    if fall:
        return Judged.of("probation", False, fall)
    known = f"{seen.outcomes:,} outcomes are known, and nothing says that performance has fallen"
    if seen.days < rules.days:
        left = f"{known}; probation ends after {rules.days:g} days, {seen.days:.1f} were watched."
        return Judged(name="probation", verdict="wait", sentence=left)
    could_see = seen.outcomes >= rules.least_outcomes or seen.estimated_upper is not None
    unknown = "" if could_see else " With so few, and no estimate, a fall could not have been seen."
    return Judged.of("probation", True, f"Probation is over: {known}.{unknown}")


def _fall(seen: ProbationFacts, promised: float | None, rules: ProbationRules) -> str:
    """What has surely fallen; empty where nothing has."""
    floor = None if promised is None else promised - rules.most_fall
    if seen.outcomes >= rules.least_outcomes:
        if floor is not None and seen.roc_auc_upper is not None and seen.roc_auc_upper < floor:
            return (
                f"By {seen.outcomes:,} outcomes the ROC-AUC is {seen.roc_auc:.3f}, surely below "
                f"{seen.roc_auc_upper:.3f}; the gate rows promised {promised:.3f}."
            )
        gap = _rate_gap(seen)
        if gap > rules.most_rate_gap:
            return (
                f"Of {seen.outcomes:,} customers {seen.churn_rate:.1%} left, where the scores said "
                f"{seen.mean:.1%}: surely off by more than {rules.most_rate_gap:g}."
            )
    if floor is not None and seen.estimated_upper is not None and seen.estimated_upper < floor:
        return (
            f"By its scores alone the ROC-AUC is {seen.estimated:.3f} (CBPE), surely below "
            f"{seen.estimated_upper:.3f}; the gate rows promised {promised:.3f}."
        )
    return ""


def _rate_gap(seen: ProbationFacts) -> float:
    """By how much the churn rate surely differs from what the scores said."""
    if seen.mean is None or seen.churn_rate_lower is None or seen.churn_rate_upper is None:
        return 0.0
    return max(seen.churn_rate_lower - seen.mean, seen.mean - seen.churn_rate_upper, 0.0)


def _promised(gates: GateFacts | None) -> float | None:
    """ROC-AUC of the gate rows."""
    found = [each.figure for each in gates.gates if each.name == RANKS_WELL] if gates else []
    return found[0] if found else None
