"""What each customer is worth: one figure assumed for all, or the margin expected from the own remaining stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract, Role
from churn.errors import InputError
from churn.features.encoding import Columns, row_count
from churn.retention.hazards import CAVEATS, HazardModel
from churn.retention.renewals import ALL_NEW, RENEWALS_CAVEAT, RenewalStays
from churn.retention.value_settings import HorizonSettings, MarginSettings, ValueSettings

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
    charge = contract.only_number(Role.MONTHLY_CHARGE)
    if charge is None:
        raise InputError(
            f"Setting 'value.clv_months' needs exactly one number column with the role "
            f"monthly_charge, but contract '{contract.name}' has "
            f"{len(contract.with_role(Role.MONTHLY_CHARGE))}; set value.clv to one amount for all instead."
        )
    return value.clv_months * value.margin * np.asarray(columns[charge.name], dtype=np.float64)


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


def remaining_margin(
    columns: Columns,
    contract: DataContract,
    value: MarginSettings,
    stays: HazardModel | RenewalStays | None,
    horizon: HorizonSettings,
) -> RemainingMargin:
    """The margin that each of n customers is expected still to bring.

    Where the contract has no single monthly charge, or stays are not known, it is `value.worth`, the same
    for all and under all draws: an assumption has no interval.
    """
    charge = monthly_charge(columns, contract)
    if stays is None or charge is None:
        worth = np.full(row_count(columns), value.worth.clv)
        lacks = "monthly charge" if charge is None else "tenure in months"
        return RemainingMargin(
            expected=worth,
            draws=np.repeat(worth[:, None].astype(np.float32), horizon.draws, axis=1),
            assumptions=(
                value.worth.assumptions[0],
                f"The contract has no single {lacks}, so margins and a horizon do not count.",
            ),
        )
    months = stays.expected_months(
        columns, horizon=horizon.months, yearly_discount=horizon.yearly_discount
    )
    brought = months * (value.margin * charge)
    return RemainingMargin(
        expected=brought[0],
        draws=brought[1:].T.astype(np.float32),
        assumptions=(
            (
                f"A customer brings {value.margin:.0%} of the own monthly charge as margin, which does not "
                "change (assumed)."
            ),
            (
                f"Months beyond {horizon.months} are not counted, and a year takes "
                f"{horizon.yearly_discount:.0%} off (assumed)."
            ),
            *_caveats(stays),
        ),
    )


def require_used_settings(
    contract: DataContract, value: MarginSettings, survivors: Sequence[float]
) -> None:
    """Checks that nothing is set that would not count with this contract.

    Raises:
        InputError: something is.
    """
    charge, tenure = (contract.only_number(r) for r in (Role.MONTHLY_CHARGE, Role.TENURE))
    if charge is None:
        if survivors:
            raise InputError(
                f"renewals.survivors says how long customers go on paying, but contract '{contract.name}' "
                "has no single number column with the role monthly_charge. Leave it out: every customer "
                "is worth value.clv."
            )
    elif value.clv is not None and (survivors or (tenure is not None and tenure.in_months)):
        raise InputError(
            f"value.clv is what a customer without a monthly charge is worth, but contract "
            f"'{contract.name}' has '{charge.name}'. Leave it out: value.margin and horizon.months say "
            "what such a customer is worth."
        )


def _caveats(stays: HazardModel | RenewalStays) -> tuple[str, ...]:
    if isinstance(stays, HazardModel):
        return CAVEATS
    return (RENEWALS_CAVEAT, *(() if stays.tenure is not None else (ALL_NEW,)))


def monthly_charge(columns: Columns, contract: DataContract) -> NDArray[np.float64] | None:
    """Each customer's monthly charge; None unless the contract has exactly one number for it."""
    column = contract.only_number(Role.MONTHLY_CHARGE)
    return None if column is None else np.asarray(columns[column.name], dtype=np.float64)
