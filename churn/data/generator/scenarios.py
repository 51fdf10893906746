"""Named drifts: what each changes in the generated customers, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from churn.contract import CategoryColumn, CodedColumn, DataContract, NumberColumn, Role
from churn.data.generator.number_baselines import Grid
from churn.data.generator.snapshot_model import SnapshotModel
from churn.errors import InputError, did_you_mean
from churn.features.encoding import Columns, Floats

NOT_A_CATEGORY = -1
"""The code of a blank, or of a category that the contract does not know."""
NEW_PAYMENT_METHOD = "Digital wallet"

Changed = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Drift:
    """What a scenario works on.

    Attributes:
        contract: the contract.
        model: what was learned from its snapshot.
        columns: the customers.
        uniforms: two numbers between 0 and 1 for each customer, float64[2, n].
        strength: the scenario's strength.
        column: the column that is named for it; empty for its own choice.
    """

    contract: DataContract
    model: SnapshotModel
    columns: Columns
    uniforms: Floats
    strength: float
    column: str

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """A share of the customers as large as the strength."""
        drawn: NDArray[np.bool_] = self.uniforms[0] < self.strength
        return drawn

    @property
    def target_column(self) -> CodedColumn | NumberColumn:
        """The named column, or the one that matters most to who leaves."""
        name = self.column or self.model.relation.strongest
        return next(each for each in self.contract.features if each.name == name)

    def replaced(self, name: str, rows: NDArray[np.bool_], by: Any) -> Changed:
        """A column with other values in some rows."""
        values = self.columns[name]
        return {name: np.where(rows, by, values).astype(values.dtype)}

    def snapshot(self, name: str) -> NDArray[Any]:
        """A column of the snapshot."""
        return self.model.relation.columns[name]


@dataclass(frozen=True)
class Scenario:
    """A named drift.

    Attributes:
        strength: how strong it is, unless another strength is asked for.
        changes: what changes, with {strength} for the strength.
        keeps: what does not.
        stage: what the drift acts on: the customers themselves, so that outcomes follow; how they
            behave, their columns unchanged; or only what is recorded of them.
        change: the changed columns.
        role: the role that it needs, and the kind of column that must have it; None for none.
        takes_column: whether a column may be named.
    """

    strength: float
    changes: str
    keeps: str
    stage: Literal["customers", "behaviour", "records"]
    change: Callable[[Drift], Changed]
    role: Role | None = None
    takes_column: bool = False


def find_scenario(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        InputError: there is none.
    """
    if name not in SCENARIOS:
        near = did_you_mean(name, SCENARIOS)
        hint = f"Did you mean '{near}'?" if near else f"There are {', '.join(SCENARIOS)}."
        raise InputError(f"There is no drift scenario '{name}'. {hint}")
    return SCENARIOS[name]


def require_possible(name: str, column: str, contract: DataContract) -> None:
    """Refuses a scenario that a contract has no column for.

    Raises:
        InputError: its role is missing, the named column is none, or it takes no column.
    """
    scenario = find_scenario(name)
    if column and not scenario.takes_column:
        takers = ", ".join(each for each, found in SCENARIOS.items() if found.takes_column)
        raise InputError(
            f"Scenario '{name}' chooses its columns by role, so no column can be named for it; "
            f"those that take one are {takers}."
        )
    names = [each.name for each in contract.features]
    if column and column not in names:
        near = did_you_mean(column, names)
        hint = f"Did you mean '{near}'?" if near else f"They are {', '.join(names)}."
        raise InputError(f"Contract '{contract.name}' has no feature column '{column}'. {hint}")
    if scenario.role is not None and not _carriers(contract, scenario.role):
        raise InputError(
            f"Scenario '{name}' needs {_NEEDED[scenario.role]} with the role '{scenario.role}', and "
            f"contract '{contract.name}' has none. Choose another scenario, or give a column the role."
        )


_NEEDED = {
    Role.MONTHLY_CHARGE: "a number",
    Role.INTERNET: "a category column of two kinds of access under 'yes'",
    Role.CONTRACT_TERM: "a category column that gives months",
    Role.PAYMENT: "a category column",
}


def _carriers(contract: DataContract, role: Role) -> list[Any]:
    """The columns of a role that a scenario can act on."""
    found = contract.with_role(role)
    if role is Role.MONTHLY_CHARGE:
        return [each for each in found if isinstance(each, NumberColumn)]
    coded = [each for each in found if isinstance(each, CategoryColumn)]
    if role is Role.INTERNET:
        return [each for each in coded if len(each.yes) > 1]
    if role is Role.CONTRACT_TERM:
        return [each for each in coded if each.months]
    return coded


def _price_rise(drift: Drift) -> Changed:
    changed: Changed = {}
    for column in _carriers(drift.contract, Role.MONTHLY_CHARGE):
        risen = drift.columns[column.name] * (1 + drift.strength)
        grid = Grid.of(drift.snapshot(column.name))
        changed[column.name] = np.minimum(grid.nearest(risen), column.maximum)
    return changed


def _fibre_rollout(drift: Drift) -> Changed:
    column: CategoryColumn = _carriers(drift.contract, Role.INTERNET)[0]
    slow, fast = (column.categories.index(kind) for kind in column.yes[:2])
    moved = (drift.columns[column.name] == slow) & drift.chosen
    changed = drift.replaced(column.name, moved, fast)
    bills = _carriers(drift.contract, Role.MONTHLY_CHARGE)
    if bills and column.prices:
        more = column.prices[fast] - column.prices[slow]
        bill = drift.columns[bills[0].name] + more
        changed |= drift.replaced(bills[0].name, moved, np.minimum(bill, bills[0].maximum))
    return changed


def _contract_mix(drift: Drift) -> Changed:
    column: CategoryColumn = _carriers(drift.contract, Role.CONTRACT_TERM)[0]
    shortest = int(np.argmin(column.months))
    share = float(np.mean(drift.snapshot(column.name) == shortest))
    moved = drift.uniforms[0] * (1 - share) < drift.strength
    return drift.replaced(column.name, moved, shortest)


def _new_payment(drift: Drift) -> Changed:
    column = _carriers(drift.contract, Role.PAYMENT)[0]
    return drift.replaced(column.name, drift.chosen, NOT_A_CATEGORY)


def _broken_join(drift: Drift) -> Changed:
    name = drift.target_column.name
    others = drift.snapshot(name)
    return drift.replaced(
        name, drift.chosen, others[(drift.uniforms[1] * len(others)).astype(np.int64)]
    )


def _lost_join(drift: Drift) -> Changed:
    column = drift.target_column
    nothing = np.nan if isinstance(column, NumberColumn) else NOT_A_CATEGORY
    return drift.replaced(column.name, drift.chosen, nothing)


def _behaviour(drift: Drift) -> Changed:
    column = drift.target_column
    values = drift.columns[column.name]
    reverse = drift.model.relation.reversed_values(column, values)
    return drift.replaced(column.name, drift.chosen, reverse)


SCENARIOS: dict[str, Scenario] = {
    "price_rise": Scenario(
        strength=0.05,
        changes="monthly charges rise by {strength:.0%}; who leaves follows them",
        keeps="totals (bills already sent), every other column, the churn relation",
        stage="customers",
        change=_price_rise,
        role=Role.MONTHLY_CHARGE,
    ),
    "fibre_rollout": Scenario(
        strength=0.2,
        changes="{strength:.0%} of the customers with the first kind of internet access under 'yes' "
        "get the second, at its price; who leaves follows",
        keeps="every other column, the churn relation",
        stage="customers",
        change=_fibre_rollout,
        role=Role.INTERNET,
    ),
    "contract_mix": Scenario(
        strength=0.1,
        changes="{strength:.0%} of all customers move from longer terms to the shortest; who leaves "
        "follows",
        keeps="every other column, the churn relation",
        stage="customers",
        change=_contract_mix,
        role=Role.CONTRACT_TERM,
    ),
    "new_payment": Scenario(
        strength=0.2,
        changes=f"{{strength:.0%}} of the customers pay by '{NEW_PAYMENT_METHOD}', which the contract "
        "does not know: a reader refuses their rows",
        keeps="every other column, who leaves",
        stage="records",
        change=_new_payment,
        role=Role.PAYMENT,
    ),
    "broken_join": Scenario(
        strength=0.2,
        changes="one column has some other customer's value in {strength:.0%} of the rows",
        keeps="that column's distribution, every other column, who leaves",
        stage="records",
        change=_broken_join,
        takes_column=True,
    ),
    "lost_join": Scenario(
        strength=0.2,
        changes="one column is blank in {strength:.0%} of the rows: a reader refuses them",
        keeps="every other column, who leaves",
        stage="records",
        change=_lost_join,
        takes_column=True,
    ),
    "behaviour": Scenario(
        strength=1.0,
        changes="one column's effect on churn is reversed for {strength:.0%} of the customers: its "
        "riskiest category is now the safest, or its highest number what its lowest was",
        keeps="every column",
        stage="behaviour",
        change=_behaviour,
        takes_column=True,
    ),
}
"""Every scenario by name."""
