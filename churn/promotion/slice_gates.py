"""Gates on groups of customers: whether leavers are still reached in each, and rates come true.

A slice holds a challenger where a loss is shown and large: the loss is more than a margin, and its
bounds, adjusted by Holm for the number of slices, leave out 0. A slice with too few rows says so
and holds nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

from scipy.special import expit

from churn.evaluation.holm import holm_errors
from churn.evaluation.intervals import Interval
from churn.evaluation.plan import PromotionSettings
from churn.evaluation.slice_losses import LeaversReached, PredictedRate
from churn.evaluation.slicing import NO_GROUPS, declared_slices
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.decision import Gate, unknown_gate

LEAVERS = "no slice reaches fewer leavers"
RATES = "no slice's predicted rate is off"


def reach_gate(
    challenger: Contender, champion: Contender, rows: GateRows, settings: PromotionSettings
) -> Gate:
    """Whether the challenger reaches as many leavers of each slice, each at its own threshold."""
    margin = settings.slice_tpr_margin
    ours, theirs = challenger.selected(), champion.selected()
    if ours is None or theirs is None:
        unknown = challenger if ours is None else champion
        return unknown_gate(LEAVERS, -margin, f"{unknown.name}'s decision threshold is not known")
    judged, few = [], []
    for part in declared_slices(rows.columns, rows.contract)[0]:
        left = part.member & (rows.target == 1)
        if left.sum() >= settings.slices.minimum_each:
            judged.append(LeaversReached(part.name, ours[left], theirs[left]))
        else:
            few.append(f"{part.name}: too few to tell ({left.sum():,} leavers).")
    what = f"{challenger.name} reaches fewer leavers than {champion.name}"
    return _gate(LEAVERS, -margin, judged, few, what, settings)


def rates_gate(challenger: Contender, rows: GateRows, settings: PromotionSettings) -> Gate:
    """Whether as many customers of each slice leave as the challenger predicts, on average."""
    margin = settings.slice_calibration_margin
    chance = expit(challenger.logit)
    judged, few = [], []
    for part in declared_slices(rows.columns, rows.contract)[0]:
        if part.member.sum() >= settings.slices.minimum_rows:
            judged.append(PredictedRate(part.name, chance[part.member], rows.target[part.member]))
        else:
            few.append(f"{part.name}: too few to tell ({part.member.sum():,} customers).")
    what = f"{challenger.name} predicts a churn rate that is off"
    return _gate(RATES, margin, judged, few, what, settings)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A slice with the bounds it is judged by, and the smallest loss that it can show."""

    found: LeaversReached | PredictedRate
    interval: Interval
    detectable: float | None
    held: bool

    @property
    def figures(self) -> str:
        """The slice, its shares and their difference."""
        lower, upper = 100 * self.interval.lower, 100 * self.interval.upper
        return (
            f"{self.found.slice_name} ({self.found.shares}: "
            f"{100 * self.found.difference:+.1f} points, {lower:+.1f} to {upper:+.1f})"
        )

    @property
    def sentence(self) -> str:
        """The slice in one sentence."""
        if self.detectable is None:
            return f"{self.figures}; its rows can show none."
        return f"{self.figures}; a true difference of {100 * self.detectable:.1f} points is found in 4 of 5 cases."


def _gate(
    name: str,
    threshold: float,
    judged: Sequence[LeaversReached | PredictedRate],
    few: Sequence[str],
    what: str,
    settings: PromotionSettings,
) -> Gate:
    if not judged:
        return Gate(
            name=name,
            figure=nan,
            threshold=threshold,
            verdict="pass",
            sentence=f"None of {len(few)} slices is large enough to tell whether {what}."
            if few
            else NO_GROUPS,
            details=tuple(few),
        )
    slices = _judge(judged, abs(threshold), 1 - settings.confidence)
    held = [each for each in slices if each.held]
    worst = max(held or slices, key=lambda each: each.found.loss)
    points = f"{100 * abs(threshold):g} points"
    if held:
        where = "; ".join(each.figures for each in held)
        sentence = f"It is shown that {what}, and the figure is beyond {points}: {where}."
    else:
        sentence = (
            f"In none of {len(slices)} slices is it shown that {what}, with a figure beyond {points}; "
            f"the worst is {worst.figures}."
        )
    return Gate(
        name=name,
        figure=worst.found.difference,
        threshold=threshold,
        verdict="insufficient evidence" if held else "pass",
        sentence=sentence,
        interval=worst.interval,
        details=(*(each.sentence for each in slices), *few),
    )


def _judge(
    judged: Sequence[LeaversReached | PredictedRate], margin: float, allowed: float
) -> list[_Judged]:
    """Judges every slice; in all of them together a loss is shown wrongly with probability `allowed`."""
    errors = holm_errors([each.p_value for each in judged], allowed)
    slices = []
    for found, error in zip(judged, errors, strict=True):
        interval = found.interval(error)
        slices.append(
            _Judged(
                found=found,
                interval=interval,
                detectable=found.detectable(allowed / len(judged), margin),
                held=found.p_value < error and found.loss > margin,
            )
        )
    return slices
