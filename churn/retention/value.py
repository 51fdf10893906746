"""The lifetime value of each customer, under stated assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract, NumberColumn, Role
from churn.errors import InputError
from churn.features.encoding import Columns, row_count
from churn.retention.value_settings import ValueSettings

_BOUNDS = (0.025, 0.975)


def lifetime_values(
    columns: Columns, contract: DataContract, value: ValueSettings
) -> NDArray[np.float64]:
    """What each of n customers is worth if kept, float64[n], in `value.currency`.

    Raises:
        InputError: the worth is to follow the monthly charge, and the contract names not exactly
            one number column with that role.
    """
    if value.clv_months is None:
        return np.full(row_count(columns), value.clv)
    charges = [c for c in contract.with_role(Role.MONTHLY_CHARGE) if isinstance(c, NumberColumn)]
    if len(charges) != 1:
        raise InputError(
            f"Setting 'value.clv_months' needs exactly one number column with the role "
            f"monthly_charge, but contract '{contract.name}' has {len(charges)}; set value.clv to "
            "one amount for all instead."
        )
    charge = np.asarray(columns[charges[0].name], dtype=np.float64)
    return value.clv_months * value.margin * charge


@dataclass(frozen=True, eq=False)
class RemainingMargin:
    """What each of n customers is expected still to bring, if kept now.

    Attributes:
        expected: float64[n], in `value.currency`, discounted.
        draws: float32[n, draws], the same under parameters that the data allow as well.
        assumptions: what it rests on, a sentence each.
    """

    expected: NDArray[np.float64]
    draws: NDArray[np.float32]
    assumptions: tuple[str, ...]

    @property
    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of each customer's expectation at the 95% level, float64[n] each."""
        low, high = np.quantile(self.draws, _BOUNDS, axis=1)
        return low, high
