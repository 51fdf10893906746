"""All feature formulas, and the set of them that one contract allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from churn.contract import DataContract, Role
from churn.errors import InputError
from churn.features.commitment import COMMITMENT_FORMULAS
from churn.features.encoding import Columns
from churn.features.formula import BoundFormula, Formula, Source
from churn.features.groups import GROUPS, FeatureGroup
from churn.features.revenue import REVENUE_FORMULAS
from churn.features.services import SERVICE_FORMULAS
from churn.features.tenure import TENURE_FORMULAS

FORMULAS: Mapping[str, Formula] = {
    formula.name: formula
    for formula in (*TENURE_FORMULAS, *COMMITMENT_FORMULAS, *REVENUE_FORMULAS, *SERVICE_FORMULAS)
}


@dataclass(frozen=True)
class FeatureSet:
    """Engineered columns ready to be computed.

    Attributes:
        formulas: in the order of the catalog.
        left_out: one sentence for each formula that the contract lacks a role for.
    """

    formulas: tuple[BoundFormula, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The engineered columns' names."""
        return tuple(formula.name for formula in self.formulas)

    def compute(self, columns: Columns) -> Columns:
        """The engineered columns alone, each float64[n].

        Raises:
            InputError: a column that a formula reads is missing or holds an unknown code.
        """
        return {formula.name: formula(columns) for formula in self.formulas}

    def extend(self, columns: Columns) -> Columns:
        """The given columns and the engineered ones."""
        return {**columns, **self.compute(columns)} if self.formulas else columns

    def as_json(self) -> list[dict[str, Any]]:
        """The set as JSON values: which formula reads which columns."""
        return [
            {
                "formula": bound.name,
                "reads": {
                    str(role): [{"column": s.column, "values": list(s.values)} for s in sources]
                    for role, sources in bound.sources.items()
                },
            }
            for bound in self.formulas
        ]

    @classmethod
    def from_json(cls, content: Iterable[Mapping[str, Any]]) -> FeatureSet:
        """The set that `as_json` described.

        Raises:
            InputError: it names a formula that this version does not know.
        """
        return cls(formulas=tuple(_restored(entry) for entry in content))


def feature_set(contract: DataContract, groups: Sequence[FeatureGroup] = GROUPS) -> FeatureSet:
    """The formulas of some groups on a contract's columns.

    A formula whose roles the contract lacks is left out, and `left_out` says so.

    Raises:
        InputError: a group is unknown, or an engineered column's name is taken by the contract.
    """
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise InputError(
            f"Feature group '{unknown[0]}' is unknown; choose among {', '.join(GROUPS)}."
        )
    bound: list[BoundFormula] = []
    left_out: list[str] = []
    for formula in FORMULAS.values():
        if formula.group not in groups:
            continue
        if formula.name in contract.names:
            raise InputError(
                f"Contract '{contract.name}' has a column '{formula.name}', the name of an "
                f"engineered feature; rename the column or drop '{formula.group}' from the "
                "recipe's features."
            )
        made = formula.bind(contract)
        if isinstance(made, BoundFormula):
            bound.append(made)
        else:
            left_out.append(made)
    return FeatureSet(formulas=tuple(bound), left_out=tuple(left_out))


def _restored(entry: Mapping[str, Any]) -> BoundFormula:
    name = entry["formula"]
    if name not in FORMULAS:
        raise InputError(
            f"Feature formula '{name}' is not known to this version of the code; load the model "
            "with the version that trained it."
        )
    return BoundFormula(
        formula=FORMULAS[name],
        sources={
            Role(role): tuple(Source(s["column"], tuple(s["values"])) for s in sources)
            for role, sources in entry["reads"].items()
        },
    )
