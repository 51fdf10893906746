"""What the length of a customer's life so far says beyond the number of months."""

import numpy as np

from churn.contract import Role
from churn.features.formula import Formula

BUCKET_STARTS = (6.0, 12.0, 24.0, 48.0, 60.0)
"""Months at which the next bucket begins: half a year, then the anniversaries that matter."""

BUCKET_NAMES = (
    "under 6 months",
    "6 to 11 months",
    "second year",
    "third and fourth year",
    "fifth year",
    "longer than 5 years",
)


TENURE_FORMULAS = (
    Formula(
        name="tenure_bucket",
        group="tenure",
        meaning="Stage of the customer's life: " + ", ".join(BUCKET_NAMES),
        unit="bucket",
        needs={Role.TENURE: "months_so_far"},
        compute=lambda of: np.searchsorted(
            BUCKET_STARTS, of.number(Role.TENURE), side="right"
        ).astype(np.float64),
        categories=len(BUCKET_NAMES),
        steps=BUCKET_STARTS,
    ),
)
