"""How long customers stay from now on, by what is known of them: a Cox model of tenure.

Cox 1972 (JRSS B 34:187-220), fitted by lifelines; the baseline is Breslow's, so that its draws can
follow the coefficients'. `CAVEATS` says what a table of one moment cannot show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.errors import InputError, error_reason
from churn.features.encoding import Columns, row_count, take

Floats = NDArray[np.float64]
DesignColumn = tuple[str, int | None]
"""A column of the table, and one of its categories; None for a number."""

CAVEATS = (
    (
        "The table shows one moment: customers who left before it are missing, so long stays are seen too "
        "often (length bias)."
    ),
    (
        "Each customer's columns are those of that moment, not of the beginning: who has a two-year contract "
        "has stayed long enough to be given one (immortal time), so such columns say too much."
    ),
    (
        "The curve takes every older customer as one who passed through today's risk of each younger tenure; "
        "risks that have changed over the years make it wrong."
    ),
)
_RIDGE = 1e-3
"""Keeps coefficients of columns that imply each other finite; lifelines' scale, per row."""
_LAST_MONTHS = 12
_MOST_ROWS = 20_000
_FOLLOWS_TENURE = {Role.TENURE, Role.TOTAL_CHARGE}


@dataclass(frozen=True, eq=False)
class HazardModel:
    """Monthly hazards of leaving, and what multiplies them.

    Attributes:
        tenure: name of the column that counts months.
        design: columns of the design matrix: column of the table, and category or None.
        center: what is subtracted from each, float64[k].
        scale: what each is divided by, float64[k].
        coefficients: float64[1 + draws, k]; the first row is the estimate.
        hazards: baseline hazard of each month, float64[1 + draws, months]; entry m is that of the
            month that ends at tenure m + 1.
    """

    tenure: str
    design: tuple[DesignColumn, ...]
    center: Floats
    scale: Floats
    coefficients: Floats
    hazards: Floats

    def expected_months(self, columns: Columns, *, horizon: int, yearly_discount: float) -> Floats:
        """Discounted months that each of n customers is expected to stay, float64[1 + draws, n].

        Args:
            columns: encoded columns of the customers.
            horizon: months that are counted, at most.
            yearly_discount: 0.1 takes a tenth off what comes a year later.
        """
        given = (_design_matrix(columns, self.design) - self.center) / self.scale
        longest = self.hazards.shape[1]
        months = np.arange(1, horizon + 1)
        discount = (1.0 + yearly_discount) ** (-months / 12.0)
        begun = np.clip(columns[self.tenure].astype(np.int64), 0, longest)
        tenures, place = np.unique(begun, return_inverse=True)
        expected = np.empty((len(self.coefficients), row_count(columns)))
        for row, (coefficients, hazards) in enumerate(
            zip(self.coefficients, self.hazards, strict=True)
        ):
            summed = np.concatenate([[0.0], np.cumsum(self._continued(hazards, horizon))])
            ahead = summed[tenures[:, None] + months] - summed[tenures][:, None]
            relative = np.exp(given @ coefficients)
            expected[row] = np.exp(-relative[:, None] * ahead[place]) @ discount
        return expected

    def _continued(self, hazards: Floats, horizon: int) -> Floats:
        """The hazards and, beyond the longest tenure, the mean of their last year."""
        return np.concatenate([hazards, np.full(horizon, hazards[-_LAST_MONTHS:].mean())])


def fit_hazards(
    columns: Columns, left: NDArray[np.int8], contract: DataContract, *, draws: int, seed: int
) -> HazardModel | None:
    """Fits the model to a table of one moment; None where the contract counts no tenure in months.

    Args:
        columns: encoded columns of n customers.
        left: int8[n], 1 for a customer who left.
        contract: their contract.
        draws: parameter draws behind every interval: coefficients normal around their estimate,
            each month's baseline hazard gamma around Breslow's (Kalbfleisch 1978, JRSS B 40:214-221).
        seed: fixes them, and the rows of a table that is too long.

    Raises:
        InputError: nobody left.
    """
    tenure = contract.only_number(Role.TENURE)
    if tenure is None or not tenure.in_months:
        return None
    if not left.any():
        raise InputError(
            "Nobody in the table has left, so how long customers stay cannot be estimated. Name a "
            "table with leavers with --set data.source=ADDRESS."
        )
    rng = np.random.default_rng(seed)
    if len(left) > _MOST_ROWS:
        some = np.sort(rng.choice(len(left), _MOST_ROWS, replace=False))
        columns, left = take(columns, some), left[some]
    months = np.asarray(columns[tenure.name], dtype=np.float64)
    design, matrix = _design(columns, contract)
    center, scale = matrix.mean(axis=0), matrix.std(axis=0)
    matrix = (matrix - center) / scale
    estimate, covariance = _fit(matrix, months, left)
    drawn = rng.multivariate_normal(estimate, covariance, draws, method="cholesky")
    coefficients = np.vstack([estimate, drawn])
    return HazardModel(
        tenure=tenure.name,
        design=design,
        center=center,
        scale=scale,
        coefficients=coefficients,
        hazards=_hazards(matrix, months, left, coefficients, rng),
    )


def _fit(matrix: Floats, months: Floats, left: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Coefficients and their covariance.

    Raises:
        InputError: lifelines is not installed, or finds no coefficients.
    """
    try:
        from lifelines import CoxPHFitter
        from lifelines.exceptions import ConvergenceError
    except ImportError:
        raise InputError(
            "Survival models need the extra `retention`; install it with `make setup-data`."
        ) from None
    import pandas as pd

    names = [f"x{place}" for place in range(matrix.shape[1])]
    frame = pd.DataFrame(matrix, columns=names).assign(months=months, left=left)
    try:
        fitted = CoxPHFitter(penalizer=_RIDGE).fit(frame, "months", "left")
    except ConvergenceError as error:
        raise InputError(
            f"How long customers stay cannot be estimated from this table: {error_reason(error, longest=120)}. "
            "Name a table with more leavers with --set data.source=ADDRESS."
        ) from None
    return fitted.params_.to_numpy(), fitted.variance_matrix_.to_numpy()


def _hazards(
    matrix: Floats,
    months: Floats,
    left: NDArray[np.int8],
    coefficients: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Breslow's hazard of each month for each row of coefficients, drawn for all but the first."""
    longest = max(1, int(np.ceil(months.max())))
    month = np.clip(np.ceil(months).astype(np.int64), 1, longest) - 1
    leavers = np.bincount(month[left == 1], minlength=longest).astype(np.float64)
    hazards = np.empty((len(coefficients), longest))
    for row, each in enumerate(coefficients):
        relative = np.bincount(month, np.exp(matrix @ each), minlength=longest)
        at_risk = relative[::-1].cumsum()[::-1]
        drawn = leavers if row == 0 else rng.gamma(leavers)
        hazards[row] = drawn / at_risk
    return hazards


def _design(columns: Columns, contract: DataContract) -> tuple[tuple[DesignColumn, ...], Floats]:
    """The columns that may explain a stay: no tenure, nothing that grows with it, none twice."""
    considered: list[DesignColumn] = []
    for column in contract.features:
        if _FOLLOWS_TENURE.intersection(column.roles):
            continue
        if isinstance(column, NumberColumn):
            considered.append((column.name, None))
        elif isinstance(column, CodedColumn):
            considered += [(column.name, code) for code in range(1, len(column.categories))]
    matrix = _design_matrix(columns, considered)
    _, first = np.unique(matrix, axis=1, return_index=True)
    kept = [place for place in sorted(first) if np.ptp(matrix[:, place]) > 0]
    return tuple(considered[place] for place in kept), matrix[:, kept]


def _design_matrix(columns: Columns, design: Sequence[DesignColumn]) -> Floats:
    return np.column_stack(
        [
            np.asarray(columns[name] if code is None else columns[name] == code, dtype=np.float64)
            for name, code in design
        ]
    )
