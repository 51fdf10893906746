"""What a customer pays, against what the customer used to pay and gets for it."""

from collections.abc import Mapping

import numpy as np

from churn.contract import Role
from churn.features.encoding import Floats
from churn.features.formula import Formula, Read, RoleValues

_ONE_MONTH = 1.0


def _average_charge(of: RoleValues) -> Floats:
    tenure, average = of.number(Role.TENURE), of.number(Role.MONTHLY_CHARGE).copy()
    # Before the first full month nothing has been averaged yet: the current bill is used.
    np.divide(of.number(Role.TOTAL_CHARGE), tenure, out=average, where=tenure >= _ONE_MONTH)
    return average


_BILLS: Mapping[Role, Read] = {
    Role.TENURE: "months_so_far",
    Role.MONTHLY_CHARGE: "number",
    Role.TOTAL_CHARGE: "number",
}

REVENUE_FORMULAS = (
    Formula(
        name="average_charge",
        group="revenue",
        meaning="Average monthly bill so far; the current one in the first month",
        unit="currency per month",
        needs=_BILLS,
        compute=_average_charge,
    ),
    Formula(
        name="charge_change",
        group="revenue",
        meaning="Current monthly bill less the average so far: above 0 the price went up",
        unit="currency per month",
        needs=_BILLS,
        compute=lambda of: of.number(Role.MONTHLY_CHARGE) - _average_charge(of),
    ),
    Formula(
        name="billed_gap",
        group="revenue",
        meaning="Billed so far less what the current bill times the tenure would come to",
        unit="currency",
        needs=_BILLS,
        compute=lambda of: (
            of.number(Role.TOTAL_CHARGE) - of.number(Role.TENURE) * of.number(Role.MONTHLY_CHARGE)
        ),
    ),
    Formula(
        name="charge_per_service",
        group="revenue",
        meaning="Monthly bill per service held; the whole bill where none is held",
        unit="currency per month",
        needs={Role.MONTHLY_CHARGE: "number", Role.SERVICE: "count"},
        compute=lambda of: of.number(Role.MONTHLY_CHARGE) / np.maximum(of.count(Role.SERVICE), 1.0),
    ),
)
