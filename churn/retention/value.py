"""The lifetime value of each customer, under stated assumptions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract, NumberColumn, Role
from churn.errors import InputError
from churn.features.encoding import Columns, row_count
from churn.retention.value_settings import ValueSettings


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
