"""Whether customers would be given the same reasons, had other customers been in the training rows.

The recipe is fitted anew on bootstrap samples of the training rows (Efron 1979, Annals of Statistics
7:1-26), and the reasons of the same customers are compared with the model's own by Jaccard's index
(1901): what both name, over what either names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from churn.contract import DataContract
from churn.explain.explanation_settings import ExplanationSettings
from churn.explain.reasons import reason_codes
from churn.features.encoding import Columns, row_count, take
from churn.frozen_model import FrozenModel
from churn.models.candidate import Candidate, FittedModel, Target

STEADY = 0.9
"""Share of the refits in which a reason must stay to be called steady."""


class ReasonStability(FrozenModel):
    """How far reasons depend on which customers a recipe was fitted on.

    Attributes:
        model: name of the recipe.
        samples: bootstrap refits.
        training_rows: size of each sample.
        customers: whose reasons were compared.
        top: reasons a customer gets at most.
        first_same: share of customers whose first reason stays, mean over the refits.
        first_same_lowest: the same in the worst refit.
        first_steady: share of customers whose first reason stays in nine refits of ten.
        set_same: share of customers all of whose reasons stay, in whatever order, mean over the
            refits.
        overlap: Jaccard's index of the two sets of reasons, mean over customers and refits.
        overlap_lowest: the same in the worst refit.
    """

    model: str
    samples: int = Field(ge=1)
    training_rows: int = Field(ge=1)
    customers: int = Field(ge=1)
    top: int = Field(ge=1)
    first_same: float = Field(ge=0, le=1)
    first_same_lowest: float = Field(ge=0, le=1)
    first_steady: float = Field(ge=0, le=1)
    set_same: float = Field(ge=0, le=1)
    overlap: float = Field(ge=0, le=1)
    overlap_lowest: float = Field(ge=0, le=1)

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        return (
            f"Fitted anew on {self.samples} bootstrap samples, {self.model} gives "
            f"{self.first_same:.0%} of customers the same first reason ({self.first_same_lowest:.0%} "
            f"in the worst sample); their top {self.top} overlap by {self.overlap:.0%} and are "
            f"the same set for {self.set_same:.0%}."
        )


def reason_stability(
    candidate: Candidate,
    model: FittedModel,
    columns: Columns,
    target: Target,
    contract: DataContract,
    settings: ExplanationSettings,
) -> ReasonStability:
    """Compares a model's reasons with those of its recipe fitted on bootstrap samples.

    Costs one fit and the reasons of `settings.customers` customers a sample.

    Args:
        candidate: the recipe.
        model: what it became on the training rows.
        columns: encoded columns of the n training rows.
        target: int8[n].
        contract: the contract they were encoded by.
        settings: samples, customers, top, seed.

    Raises:
        InputError: a sample cannot be learnt from: of its customers all left, or none.
    """
    rows = row_count(columns)
    steps = np.linspace(0, rows - 1, min(settings.customers, rows))
    shown = take(columns, np.unique(steps.astype(np.intp)))
    own = _reason_columns(model, shown, contract, settings.top)
    first, same, overlap = [], [], []
    for sample in range(settings.samples):
        # A generator a sample: five samples are the first five of twenty.
        draw = np.random.default_rng([settings.seed, sample]).integers(rows, size=rows)
        refit = candidate.fit(take(columns, draw), target[draw])
        other = _reason_columns(refit, shown, contract, settings.top)
        first.append([a[:1] == b[:1] for a, b in zip(own, other, strict=True)])
        agreed = jaccard(own, other)
        overlap.append(agreed)
        same.append(agreed == 1)
    stays = np.array(first)
    return ReasonStability(
        model=candidate.name,
        samples=settings.samples,
        training_rows=rows,
        customers=row_count(shown),
        top=settings.top,
        first_same=float(stays.mean()),
        first_same_lowest=float(stays.mean(axis=1).min()),
        first_steady=float((stays.mean(axis=0) >= STEADY).mean()),
        set_same=float(np.mean(same)),
        overlap=float(np.mean(overlap)),
        overlap_lowest=float(np.mean(overlap, axis=1).min()),
    )


def jaccard(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Overlap of two models' reasons, customer by customer, float64[n]; 1 where neither has any.

    Args:
        one: columns that the reasons of n customers are about.
        other: the same for the same customers by another model.
    """
    pairs = [(set(ours), set(theirs)) for ours, theirs in zip(one, other, strict=True)]
    return np.array(
        [
            len(ours & theirs) / len(ours | theirs) if ours or theirs else 1.0
            for ours, theirs in pairs
        ]
    )


def _reason_columns(
    model: FittedModel, shown: Columns, contract: DataContract, top: int
) -> list[list[str]]:
    """The columns that each customer's reasons are about, in order."""
    codes = reason_codes(model, shown, contract, top=top)
    return [[reason.column for reason in customer.reasons] for customer in codes]
