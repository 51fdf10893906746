"""What an experiment has shown so far: a difference with its interval, and whether it may be believed.

The comparison is by assignment, whoever took the offer. Intervals are as wide as the look's bound asks
(repeated confidence intervals, Jennison & Turnbull 1989, JRSS B 51:305-361), so that they hold
however many looks are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.stats import norm

from churn.errors import InputError
from churn.evaluation.holm import holm_errors
from churn.experiments.arm_comparison import (
    AdjustedDifference,
    ArmRate,
    Difference,
    Observed,
    SavedShare,
    adjusted_difference,
    compare_rates,
    sample_ratio_p,
    saved_share,
)
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.plan import ExperimentPlan, Look
from churn.experiments.sequential import lan_demets
from churn.frozen_model import FrozenModel

Decision = Literal["fewer leave", "more leave", "not decided"]
_FEWEST_IN_STRATUM = 10  # in each arm; fewer say nothing


class Readout(FrozenModel):
    """One look.

    Attributes:
        experiment: its name.
        look: its number.
        read_on: the day.
        information: share of the planned outcomes that is known.
        bound: |z| at which the experiment may stop now.
        comparison: of the arms.
        adjusted: the same by CUPED; None where the predicted risk does not vary.
        imbalance: p-value of the arms' sizes against their shares.
        balanced: whether these sizes can be chance.
        decision: what the bound says; `not decided` where the sizes are no chance.
        saved: per offer, and of all together; empty where the holdout kept everybody.
        harmed: strata in which more of the treated leave, beyond chance (Holm).
    """

    experiment: str
    look: int
    read_on: date
    information: float
    bound: float
    comparison: Difference
    adjusted: AdjustedDifference | None
    imbalance: float = Field(ge=0, le=1)
    balanced: bool
    decision: Decision
    saved: tuple[SavedShare, ...]
    harmed: tuple[str, ...]

    @property
    def guardrail(self) -> str:
        """What the outcomes say of the guardrail that they can measure."""
        where = ", ".join(self.harmed) or "no group of customers"
        return f"Guardrail, measured: more of the treated than of the holdout leave in {where}."


def read_out(
    plan: ExperimentPlan, observed: Observed, day: date, earlier: Sequence[Readout] = ()
) -> Readout:
    """Takes the look that is due.

    Args:
        plan: fixed before the first contact.
        observed: the customers whose outcome is known.
        day: of the look.
        earlier: the looks that were taken before; alpha that they have spent is not spent again.

    Raises:
        InputError: none is due, an arm has no known outcome, or no more outcomes are known than at
            the last look.
    """
    look = plan.look_on(day)
    treated, holdout = (_rate(observed, arm, plan.name) for arm in (TREATED, HOLDOUT))
    information = _information(plan, look, treated.known, holdout.known)
    _require_more(plan, look, information, earlier)
    taken = [*(each.information for each in earlier), information]
    bound = float(lan_demets(taken, plan.settings.alpha)[-1])
    comparison = compare_rates(treated, holdout, bound)
    # Of those compared: whose outcome is lost is missing here, and not among the assigned.
    imbalance = sample_ratio_p({TREATED: treated.known, HOLDOUT: holdout.known}, plan.shares)
    balanced = imbalance >= plan.settings.imbalance_level
    return Readout(
        experiment=plan.name, look=look.number, read_on=day, information=information, bound=bound,
        comparison=comparison, adjusted=adjusted_difference(observed, bound),
        imbalance=imbalance, balanced=balanced,
        decision=_decision(comparison.z, bound) if balanced else "not decided",
        saved=_saved(observed), harmed=_harmed(observed, plan.settings.alpha),
    )  # fmt: skip


def _information(plan: ExperimentPlan, look: Look, treated: int, holdout: int) -> float:
    """Share of what all planned campaigns would tell of the difference; the last look is all."""
    if look is plan.looks[-1]:
        return 1.0
    planned = plan.campaigns / (1 / plan.treated + 1 / max(plan.holdout, 1))
    return min(1 / (1 / treated + 1 / holdout) / planned, 1.0)


def _require_more(
    plan: ExperimentPlan, look: Look, information: float, earlier: Sequence[Readout]
) -> None:
    if earlier and information <= earlier[-1].information:
        last = earlier[-1]
        raise InputError(
            f"Look {look.number} of experiment '{plan.name}' would know no more than look {last.look} of "
            f"{last.read_on} did: {last.information:.0%} of the planned outcomes. Record the outcomes "
            "since then, or decide by that look."
        )


def _decision(z: float, bound: float) -> Decision:
    if abs(z) < bound:
        return "not decided"
    return "fewer leave" if z < 0 else "more leave"


def _rate(observed: Observed, arm: str, experiment: str) -> ArmRate:
    rows = observed.arm == arm
    if not rows.any():
        raise InputError(
            f"Experiment '{experiment}' has no outcome of anybody in the arm '{arm}'; record the "
            "outcomes of both arms, then read it."
        )
    return ArmRate(
        assigned=observed.assigned.get(arm, int(rows.sum())),
        known=int(rows.sum()),
        left=int(observed.left[rows].sum()),
    )


def _rates_of(observed: Observed, rows: npt.NDArray[np.bool_]) -> tuple[ArmRate, ArmRate] | None:
    """Treated and holdout among some customers; None where an arm is too small to say anything."""
    found = []
    for arm in (TREATED, HOLDOUT):
        mine = rows & (observed.arm == arm)
        known = int(mine.sum())
        if known < _FEWEST_IN_STRATUM:
            return None
        found.append(ArmRate(assigned=known, known=known, left=int(observed.left[mine].sum())))
    return found[0], found[1]


def _saved(observed: Observed) -> tuple[SavedShare, ...]:
    everybody = np.ones(len(observed.left), dtype=bool)
    groups = {"": everybody} | {
        str(name): observed.offer == name for name in np.unique(observed.offer) if name
    }
    found = (
        saved_share(*rates, offer)
        for offer, rows in groups.items()
        if (rates := _rates_of(observed, rows)) is not None
    )
    return tuple(each for each in found if each is not None)


def _harmed(observed: Observed, alpha: float) -> tuple[str, ...]:
    names, p_values = [], []
    for name in np.unique(observed.stratum):
        rates = _rates_of(observed, observed.stratum == name)
        if rates is not None:
            names.append(str(name))
            p_values.append(float(norm.sf(compare_rates(*rates).z)))
    errors = holm_errors(p_values, alpha)
    return tuple(n for n, p, e in zip(names, p_values, errors, strict=True) if p < e)
