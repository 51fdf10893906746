"""Global explanation of a model: aggregates for the charts, and no customer's row.

Kept are means, shares and counts over customers. Every column is binned by itself, so no row can be
put together again, and no figure is kept that fewer than 20 customers stand behind, except counts
in the bins of a distribution.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from churn.contract import Role
from churn.frozen_model import FrozenModel

FEWEST = 20
"""Customers that a mean must rest on to be kept."""


_ESTIMATED = (
    "Contributions of {model} are estimates, from a sample of the orders in which columns can be "
    "revealed; they still sum to the score."
)


class ColumnStrength(FrozenModel):
    """How far one column moves scores.

    Attributes:
        column: column of the table.
        strength: mean absolute contribution, log-odds.
        actionable: whether the business can do something about it.
    """

    column: str
    strength: float = Field(ge=0)
    actionable: bool


class Swarm(FrozenModel):
    """How one column's contributions are distributed, by the column's value.

    Attributes:
        column: column of the table.
        levels: what the value groups are called: categories, or ranges of a number.
        counts: customers in each bin of contributions (bins of the report) and each level.
    """

    column: str
    levels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Band(FrozenModel):
    """Customers of one value, or one range of values.

    Attributes:
        label: the category, or the range in words.
        middle: mean value of a number; the place of a category.
        rows: customers.
        mean: mean contribution, log-odds.
        low: the contribution that a tenth of them lies below.
        high: the contribution that a tenth of them lies above.
    """

    label: str
    middle: float
    rows: int = Field(ge=1)
    mean: float
    low: float
    high: float


class Dependence(FrozenModel):
    """A column's contribution against its value.

    Attributes:
        column: column of the table.
        unit: unit of a number; empty for categories.
        bands: by rising value, or in the contract's order.
    """

    column: str
    unit: str
    bands: tuple[Band, ...]


class TermLine(FrozenModel):
    """How tenure counts for the customers of one contract term.

    Attributes:
        term: the contract term.
        months: mean tenure of each band.
        means: mean contribution of tenure there, log-odds, at the mix of months of the whole band.
        rows: customers behind each.
    """

    term: str
    months: tuple[float, ...]
    means: tuple[float, ...]
    rows: tuple[int, ...]


class Interaction(FrozenModel):
    """Whether tenure counts otherwise under another contract.

    Attributes:
        column: the tenure.
        by: the contract term.
        unit: unit of the tenure.
        lines: one for each term that has enough customers.
        largest: largest gap between two terms at the same tenure, log-odds; None, as the next two,
            where no two terms have enough customers at the same tenure.
        largest_at: tenure of that gap.
        typical: gap between terms that the average customer's tenure sees, log-odds.
        carried_by: engineered columns that read both; in an additive model only these interact.
    """

    column: str
    by: str
    unit: str
    lines: tuple[TermLine, ...]
    largest: float | None = Field(ge=0)
    largest_at: float | None
    typical: float | None = Field(ge=0)
    carried_by: tuple[str, ...]


class ExplanationReport(FrozenModel):
    """What a model goes by.

    Attributes:
        model: name of the recipe.
        additive: whether log-odds are a plain sum of terms, one a feature.
        exact: whether contributions are exact, or estimated as a network's are.
        rows: customers it was looked at with.
        base: mean log-odds of the training rows, to which contributions are added.
        importance: every column of the table that the model looks at, strongest first.
        swarm_edges: edges of the bins of contributions, log-odds.
        swarms: distributions of the strongest columns.
        dependence: dependence of the strongest columns.
        interaction: of tenure and contract; None unless one number, which the model looks at, has the
            role tenure and one category or flag column the role contract term.
    """

    model: str
    additive: bool
    exact: bool = True
    rows: int = Field(ge=1)
    base: float
    importance: tuple[ColumnStrength, ...] = Field(min_length=1)
    swarm_edges: tuple[float, ...]
    swarms: tuple[Swarm, ...]
    dependence: tuple[Dependence, ...]
    interaction: Interaction | None

    @model_validator(mode="after")
    def _counts_fit_their_bins(self) -> Self:
        for swarm in self.swarms:
            if len(swarm.counts) != len(self.swarm_edges) - 1:
                raise ValueError(f"swarm of {swarm.column!r}: counts do not fit the bins")
            if sum(map(sum, swarm.counts)) != self.rows:
                raise ValueError(f"swarm of {swarm.column!r}: counts do not add up to the rows")
        return self

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain words."""
        found = (self._strongest, self._interacts)
        return found if self.exact else (*found, _ESTIMATED.format(model=self.model))

    @property
    def _strongest(self) -> str:
        total = sum(each.strength for each in self.importance)
        first = self.importance[:3]
        share = sum(each.strength for each in first) / total if total else 0.0
        names = [each.column for each in first]
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return (
            f"{self.model} goes by {listed} most: {share:.0%} of all it moves scores by, over "
            f"{self.rows:,} customers."
        )

    @property
    def _interacts(self) -> str:
        found = self.interaction
        if found is None:
            return (
                "Whether one column counts otherwise under another was not shown: the data contract has no "
                f"single number column with the role {Role.TENURE} that the model looks at, or no "
                f"single category or flag column with the role {Role.CONTRACT_TERM}."
            )
        if self.additive and not found.carried_by:
            return (
                f"{found.column} and {found.by} do not interact: {self.model} is additive, so by "
                "construction a column counts the same whatever the others say."
            )
        if found.largest is None:
            return (
                f"Whether {found.column} counts otherwise under another {found.by} was not shown: too few "
                f"customers to compare. In no range of {found.column} have two categories of "
                f"{found.by} {FEWEST} or more."
            )
        through = f", through {' and '.join(found.carried_by)} alone" if self.additive else ""
        return (
            f"{found.column} counts otherwise under another {found.by}{through}: by "
            f"{found.typical:.2f} log-odds on average, by {found.largest:.2f} around "
            f"{found.largest_at:.0f} {found.unit}."
        )
