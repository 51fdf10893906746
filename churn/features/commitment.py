"""Whether a customer is still in the first term of the contract."""

import numpy as np

from churn.contract import Role
from churn.features.formula import Formula

COMMITMENT_FORMULAS = (
    Formula(
        name="within_first_term",
        group="commitment",
        meaning="1 where the customer is younger than one term of the current contract",
        unit="flag",
        needs={Role.TENURE: "months_so_far", Role.CONTRACT_TERM: "months"},
        compute=lambda of: (of.number(Role.TENURE) < of.number(Role.CONTRACT_TERM)).astype(
            np.float64
        ),
        categories=2,
    ),
)
