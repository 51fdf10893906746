"""Penalised logistic regression on blocks of a design, turned into an additive model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns, Floats
from churn.features.feature_set import FeatureSet
from churn.models.candidate import Target
from churn.models.linear.additive import AdditiveModel
from churn.models.linear.design import Block, one_hot, steps
from churn.models.linear.terms import Curve, Term
from churn.models.one_thread import one_thread
from churn.models.recipe_inputs import RecipeInputs
from churn.models.recipe_settings import LogisticSettings, SplineLogisticSettings

_TOLERANCE = 1e-12  # Newton's method doubles its digits each round: the last ones cost one more
_MOST_ROUNDS = 100


Settings = TypeVar("Settings", LogisticSettings, SplineLogisticSettings)


@dataclass(frozen=True)
class RegressionCandidate(Generic[Settings]):
    """A regression recipe."""

    name: str
    settings: Settings
    inputs: RecipeInputs

    @classmethod
    def from_settings(cls, name: str, settings: Settings, contract: DataContract) -> Self:
        """The recipe under a contract.

        Raises:
            InputError: an engineered column's name is taken by the contract.
        """
        return cls(name, settings, RecipeInputs.from_contract(contract, settings.features))


def require_both_outcomes(target: Target, recipe: str) -> None:
    """Refuses rows from which nothing can be learnt.

    Raises:
        InputError: only one outcome occurs.
    """
    left = int(np.sum(target))
    if left in (0, len(target)):
        raise InputError(
            f"Recipe '{recipe}' cannot learn from {len(target)} rows of which {left} left; bring "
            "rows of customers who left and of customers who stayed."
        )


def design_blocks(
    inputs: RecipeInputs, columns: Columns, number_block: Callable[[str, Floats], Block]
) -> list[Block]:
    """The design of a recipe's columns, in the order of the table, engineered ones last.

    `number_block` makes the block of a number.

    Raises:
        InputError: a column is missing or a code unknown.
    """
    known = inputs.extend(columns)
    blocks = [
        one_hot(name, known[name], inputs.categories[name])
        if name in inputs.categories
        else number_block(name, known[name])
        for name in inputs.order
    ]
    for bound in inputs.engineered.formulas:
        formula = bound.formula
        if formula.steps:
            (source,) = bound.reads
            blocks.append(steps(source, known[source], formula.steps))
        elif formula.categories:
            blocks.append(one_hot(bound.name, known[bound.name], formula.categories))
        else:
            blocks.append(number_block(bound.name, known[bound.name]))
    return blocks


def fit_additive(
    blocks: Sequence[Block],
    target: Target,
    *,
    c: float,
    balanced: bool = False,
    engineered: FeatureSet | None = None,
) -> AdditiveModel:
    """Fits a ridge-penalised logistic regression; blocks of one column become one term.

    Args:
        blocks: the design matrix, side by side.
        target: int8[n].
        c: inverse strength of the penalty; the intercept is not penalised.
        balanced: whether both outcomes weigh alike.
        engineered: formulas of the engineered columns among the blocks.
    """
    from sklearn.linear_model import LogisticRegression

    design = np.concatenate([block.matrix for block in blocks], axis=1)
    regression = LogisticRegression(
        C=c,
        class_weight="balanced" if balanced else None,
        solver="newton-cholesky",  # few columns, many rows: a handful of exact Newton steps
        tol=_TOLERANCE,
        max_iter=_MOST_ROUNDS,
    )
    with one_thread():
        regression.fit(design, target)
    weights: Floats = regression.coef_[0]
    means = design.mean(axis=0)
    base = float(regression.intercept_[0])
    terms: dict[str, Term] = {}
    start = 0
    for block in blocks:
        chosen = slice(start, start + block.matrix.shape[1])
        start = chosen.stop
        middle = float(np.sum(means[chosen] * weights[chosen]))
        base += middle
        term = block.term(weights[chosen]).shifted(-middle)
        before = terms.get(term.column)
        if isinstance(before, Curve) and isinstance(term, Curve):
            term = before.plus(term)
        terms[term.column] = term
    return AdditiveModel(
        base=base, terms=tuple(terms.values()), engineered=engineered or FeatureSet()
    )
