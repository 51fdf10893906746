"""The rule that what a customer was billed in all agrees with tenure times monthly charge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import ChargeRule, DataContract, Role
from churn.data.quality.rule import ExpectationResult, Rule, critical, percent

_ROLES = (Role.TOTAL_CHARGE, Role.TENURE, Role.MONTHLY_CHARGE)


@dataclass(frozen=True)
class Charges:
    """The contract's tolerance, with the columns that it is about, found by role."""

    rule: ChargeRule
    total: str
    tenure: str
    monthly: str

    @property
    def name(self) -> str:
        """The rule's name, and its computed column's."""
        return f"{self.total} against {self.tenure}"

    @property
    def columns(self) -> tuple[str, str, str]:
        """The columns that take part."""
        return (self.total, self.tenure, self.monthly)

    @property
    def tolerance(self) -> str:
        """How far the total may lie off, in words."""
        share = percent(self.rule.relative)
        return f"{self.rule.absolute:g} + {share} of {self.tenure} x {self.monthly}"

    def excess(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """How far each total lies beyond the tolerance, in its unit: 0 or less agrees; float64[n].

        NaN where one of the three is blank or not a number.
        """
        total, tenure, monthly = (
            pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
            for name in self.columns
        )
        with np.errstate(invalid="ignore"):  # infinite charges; the check of their range says so
            explained = tenure * monthly
            allowed = self.rule.absolute + self.rule.relative * explained
            return np.asarray(np.abs(total - explained) - allowed, dtype=np.float64)


def find_charges(contract: DataContract) -> Charges | None:
    """The contract's charge rule; None where it has none, or not the roles for it."""
    rule = contract.expectations.charges
    total, tenure, monthly = (contract.only_number(role) for role in _ROLES)
    if rule is None or total is None or tenure is None or monthly is None:
        return None
    return Charges(rule, total.name, tenure.name, monthly.name)


def charges_left_out(contract: DataContract) -> tuple[str, ...]:
    """A sentence if there is no such rule: not in the contract, or without a role that it needs."""
    left_out = "Total charges were not compared with tenure: contract "
    if contract.expectations.charges is None:
        return (f"{left_out}'{contract.name}' sets no expectations.charges.",)
    lacking = [role.value for role in _ROLES if contract.only_number(role) is None]
    if not lacking:
        return ()
    needed = " and one with ".join(lacking)
    return (f"{left_out}'{contract.name}' needs exactly one number with the role {needed}.",)


def charge_rule(contract: DataContract, charges: Charges) -> Rule:
    """Total, tenure and monthly charge agree in most rows; prices change over the years."""
    mostly = percent(charges.rule.mostly)
    return Rule(
        name=charges.name,
        topic="relations",
        batch="relations",
        columns=charges.columns,
        expectations=critical(
            "ExpectColumnValuesToBeBetween",
            f"within {charges.tolerance} in {mostly} of rows",
            column=charges.name,
            max_value=0.0,
            mostly=charges.rule.mostly,
        ),
        success=lambda result: (
            f"{charges.total} lies within {charges.tolerance} in {_agreeing(result)}; "
            f"{mostly} must."
        ),
        failure=lambda result: (
            f"{charges.total} lies within {charges.tolerance} in only {_agreeing(result)}, "
            f"where {mostly} must"
        ),
        observed=_agreeing,
        way_out=(
            "Check the units and the columns of the file, or change expectations.charges in "
            f"contract '{contract.name}'."
        ),
    )


def _agreeing(result: ExpectationResult) -> str:
    return f"{result.total - result.count:,} of {result.total:,} rows"
