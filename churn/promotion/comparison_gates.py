"""Gates that compare a challenger with the champion on the same customers, pair by pair.

All test non-inferiority: a challenger passes where it is surely not worse by more than a margin
that was fixed before the two were compared, fails where it surely is, and is held in between.
"""

from __future__ import annotations

from math import nan

import numpy as np

from churn.evaluation.delong import METHOD, PairedAuc, paired_delong
from churn.evaluation.intervals import Interval, normal_quantile
from churn.evaluation.plan import PromotionSettings
from churn.evaluation.slicing import NO_GROUPS, declared_slices, rankable
from churn.evaluation.weighted import Floats
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.decision import NON_INFERIORITY, Gate, unknown_gate, verdict_at_least

RANKING = "ranks no worse than the champion"
PROFIT = "earns no less than the champion"
SLICES = "no slice collapses"
JUMP = "gains no more than is believed"


def ranking_gate(
    challenger: Contender,
    champion: Contender,
    rows: GateRows,
    settings: PromotionSettings,
    *,
    look: int = 1,
    name: str = RANKING,
    margin: float | None = None,
) -> Gate:
    """Non-inferiority of ROC-AUC: the one-sided bounds of the paired DeLong difference.

    Args:
        challenger: who is judged.
        champion: who it may not trail; under another `name`, another reference.
        rows: the customers.
        settings: margin and confidence.
        look: which look at these rows it is.
        name: of the gate.
        margin: `roc_auc_margin` where it is None.
    """
    found = paired_delong(rows.target, challenger.logit, champion.logit)
    confidence = settings.confidence_at(look)
    interval = one_sided(found, confidence)
    margin = settings.roc_auc_margin if margin is None else margin
    verdict = verdict_at_least(interval, -margin)
    return Gate(
        name=name,
        figure=found.difference,
        threshold=-margin,
        verdict=verdict,
        sentence=(
            f"{challenger.name} reaches ROC-AUC {found.area:.4f} and {champion.name} "
            f"{found.reference_area:.4f} on the same {found.rows:,} customers: "
            f"{found.difference:+.4f} ({_sides(confidence)} {interval.span('+.4f')}); "
            f"with a margin of {margin:g}, {NON_INFERIORITY[verdict]}."
        ),
        interval=interval,
    )


def jump_gate(
    challenger: Contender, champion: Contender, rows: GateRows, settings: PromotionSettings
) -> Gate:
    """Whether the challenger leads by no more than retraining can gain; a larger lead is held."""
    gained = paired_delong(rows.target, challenger.logit, champion.logit).difference
    believed = settings.roc_auc_jump
    inside = gained <= believed
    ending = (
        "which retraining can gain"
        if inside
        else "more than retraining gains: look for a new column that is known only after a customer "
        "has left, or raise gates.roc_auc_jump"
    )
    return Gate(
        name=JUMP,
        figure=gained,
        threshold=believed,
        verdict="pass" if inside else "insufficient evidence",
        sentence=f"{challenger.name} gains {gained:+.4f} ROC-AUC over {champion.name}, {ending}.",
    )


def profit_gate(
    challenger: Contender,
    champion: Contender,
    rows: GateRows,
    settings: PromotionSettings,
    *,
    look: int = 1,
    name: str = PROFIT,
    share: float | None = None,
) -> Gate:
    """Non-inferiority of profit per customer: the one-sided bounds of the mean paired difference.

    `share` is the margin, `profit_margin` where it is None; other arguments as of `ranking_gate`.
    """
    for contender in (challenger, champion):
        broken = contender.profit_problem(rows.rows)
        if broken:
            return unknown_gate(name, float("nan"), broken)
    ours, theirs = np.asarray(challenger.profit), np.asarray(champion.profit)
    gained = ours - theirs
    share = settings.profit_margin if share is None else share
    margin = share * abs(float(theirs.mean()))
    confidence = settings.confidence_at(look)
    interval = _mean_bounds(gained, confidence)
    verdict = verdict_at_least(interval, -margin)
    return Gate(
        name=name,
        figure=float(gained.mean()),
        threshold=-margin,
        verdict=verdict,
        sentence=(
            f"Under the assumptions given, {challenger.name} earns {ours.mean():.2f} per customer "
            f"and {champion.name} {theirs.mean():.2f}: {gained.mean():+.2f} "
            f"({_sides(confidence)} {interval.span('+.2f')}); with a margin of "
            f"{margin:.2f} ({share:.0%} of {champion.name}'s), {NON_INFERIORITY[verdict]}."
        ),
        interval=interval,
    )


def slices_gate(
    challenger: Contender, champion: Contender, rows: GateRows, settings: PromotionSettings
) -> Gate:
    """Whether the challenger ranks surely worse within some slice, by more than a margin.

    Slices with too few rows are not counted, and there are none where no column of the contract has a
    role for it. Each is tested by itself, without a correction for
    their number: that can stop a sound challenger, but never clears a faulty one.
    """
    margin = settings.slice_margin
    parts = declared_slices(rows.columns, rows.contract)[0]
    if not parts:
        return Gate(name=SLICES, figure=nan, threshold=-margin, verdict="pass", sentence=NO_GROUPS)
    found = {
        part.name: paired_delong(
            rows.target[part.member], challenger.logit[part.member], champion.logit[part.member]
        )
        for part in parts
        if rankable(rows.target[part.member], settings.slices)
    }
    if not found:
        return unknown_gate(SLICES, -margin, "No slice has enough rows to be compared")
    bounds = {name: one_sided(each, settings.confidence) for name, each in found.items()}
    worst = min(bounds, key=lambda name: bounds[name].upper)
    collapsed = [name for name, interval in bounds.items() if interval.upper < -margin]
    sure, where = ("", ", ".join(collapsed)) if collapsed else ("surely ", "none")
    return Gate(
        name=SLICES,
        figure=found[worst].difference,
        threshold=-margin,
        verdict="fail" if collapsed else "pass",
        sentence=(
            f"Of {len(found)} slices large enough, the challenger is {sure}worse by more than "
            f"{margin:g} in {where}; the worst is {worst} with {found[worst].difference:+.4f} ROC-AUC "
            f"({_sides(settings.confidence)} {bounds[worst].span('+.4f')})."
        ),
        interval=bounds[worst],
    )


def one_sided(found: PairedAuc, confidence: float) -> Interval:
    """Both one-sided bounds of a difference; together a two-sided interval of less confidence."""
    return Interval(
        lower=found.lower_bound(confidence),
        upper=found.upper_bound(confidence),
        level=_two_sided(confidence),
        method=METHOD,
    )


def _mean_bounds(gained: Floats, confidence: float) -> Interval:
    """Both one-sided bounds of a mean over customers.

    From the normal distribution: a later look asks for a confidence that no number of resamplings shows.
    """
    level = _two_sided(confidence)
    half = normal_quantile(level) * float(gained.std(ddof=1)) / np.sqrt(len(gained))
    mean = float(gained.mean())
    return Interval(
        lower=float(mean - half), upper=float(mean + half), level=level, method="normal, paired"
    )


def _two_sided(confidence: float) -> float:
    return round(2 * confidence - 1, 12)


def _sides(confidence: float) -> str:
    return f"one-sided {100 * confidence:.6g}% bounds"
