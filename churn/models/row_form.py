"""Row forms: what scores one customer without a table, described as plain data.

A fitted model says by `row_form()` which arithmetic it is: a sum of terms, trees, a mean of others,
a line on another, or none of these. `churn.scoring.fast` compiles the description into a kernel for
one row; it never needs to know which model the description comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from churn.features.encoding import Columns, Floats
from churn.features.feature_set import FeatureSet

if TYPE_CHECKING:
    from churn.models.linear.terms import Term
    from churn.models.trees.native_trees import NativeTrees


@dataclass(frozen=True)
class TermsForm:
    """A base plus one term per column, added in order.

    Attributes:
        base: log-odds that the terms are added to.
        terms: tables and curves.
        engineered: formulas of the columns that the terms read besides the contract's.
    """

    base: float
    terms: tuple[Term, ...]
    engineered: FeatureSet


@dataclass(frozen=True)
class TreesForm:
    """Boosted trees.

    Attributes:
        trees: LightGBM's.
        features: names of the trees' columns, in their order.
        engineered: formulas of the columns that the trees read besides the contract's.
    """

    trees: NativeTrees
    features: tuple[str, ...]
    engineered: FeatureSet


@dataclass(frozen=True)
class MeanForm:
    """The mean of other forms' log-odds.

    Attributes:
        members: the other forms, in order.
        places: for each member, the places of its features among the mean's features.
        width: number of the mean's features.
    """

    members: tuple[RowForm, ...]
    places: tuple[tuple[int, ...], ...]
    width: int

    @property
    def engineered(self) -> FeatureSet:
        """The formulas that any member needs, each once."""
        formulas = (one for member in self.members for one in member.engineered.formulas)
        return FeatureSet(tuple({formula.name: formula for formula in formulas}.values()))


@dataclass(frozen=True)
class LineForm:
    """Another form's log-odds, multiplied by the slope; then the intercept is added."""

    member: RowForm
    slope: float
    intercept: float

    @property
    def engineered(self) -> FeatureSet:
        """The member's formulas."""
        return self.member.engineered


@dataclass(frozen=True)
class TableForm:
    """No row form of its own: the model's table functions, called with a table of one row.

    Attributes:
        logit: log-odds float64[n] of the contract's columns.
        contributions: float64[n, features] of the contract's columns.
        engineered: none; the model computes its engineered columns itself.
    """

    logit: Callable[[Columns], Floats]
    contributions: Callable[[Columns], Floats]
    engineered: FeatureSet = field(default_factory=FeatureSet)


RowForm = TermsForm | TreesForm | MeanForm | LineForm | TableForm


def trees_of(form: RowForm) -> tuple[NativeTrees, ...]:
    """All trees in a form, those of its members, too."""
    match form:
        case TreesForm():
            return (form.trees,)
        case LineForm():
            return trees_of(form.member)
        case MeanForm():
            return tuple(trees for member in form.members for trees in trees_of(member))
    return ()
