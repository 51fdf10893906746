"""How well one column alone ranks customers: a column that does it too well gives the outcome away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churn.evaluation.delong import delong
from churn.evaluation.weighted import Floats, Labels
from churn.features.encoding import Columns
from churn.frozen_model import FrozenModel

_BINS = 32
_FOLDS = 5
_SEED = 7


class ColumnRanking(FrozenModel):
    """The ROC-AUC of one column alone."""

    column: str
    roc_auc: float


def strongest_column(columns: Columns, target: Labels) -> ColumnRanking:
    """Finds the column that alone ranks the customers best, as `rank_columns` measures it.

    Raises:
        ValueError: there is no column.

    Examples:
        >>> left = np.arange(200) % 4 == 0
        >>> columns = {"tenure": np.arange(200.0), "cancelled": left.astype(np.int8)}
        >>> strongest_column(columns, left.astype(np.int8))
        ColumnRanking(column='cancelled', roc_auc=1.0)
    """
    return max(rank_columns(columns, target), key=lambda found: found.roc_auc)


def rank_columns(columns: Columns, target: Labels) -> tuple[ColumnRanking, ...]:
    """Measures how well each column alone ranks the customers.

    Customers are ranked by the churn rate of those who share their category, or their thirty-second of
    a number's range; a missing value is a group of its own. The rate comes from other rows than the
    customer's own (five folds), so a column with many rare values gains nothing by chance.

    Args:
        columns: n customers; numbers as float64[n], categories as integer codes.
        target: int8[n] of 0 (stayed) and 1 (left), both of which occur.
    """
    fold = np.random.default_rng(_SEED).permutation(len(target)) % _FOLDS
    return tuple(
        ColumnRanking(column=name, roc_auc=delong(target, _rates(values, target, fold)).area)
        for name, values in columns.items()
    )


def _rates(values: npt.NDArray[np.generic], target: Labels, fold: npt.NDArray[np.intp]) -> Floats:
    """The churn rate among other rows of the same group, float64[n]."""
    groups, overall = _groups(values), float(target.mean())
    rates = np.empty(len(target))
    for held_out in range(_FOLDS):
        inside = fold == held_out
        rows = np.bincount(groups[~inside], minlength=groups.max() + 1)
        left = np.bincount(groups[~inside], target[~inside], minlength=groups.max() + 1)
        # One more row of the average, so that an empty group has a rate, too.
        rates[inside] = ((left + overall) / (rows + 1))[groups[inside]]
    return rates


def _groups(values: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Numbers of the groups, from 0, intp[n]."""
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64)
        missing = np.isnan(numbers)
        cuts = np.linspace(0, 1, _BINS + 1)[1:-1]
        edges = np.unique(np.quantile(numbers[~missing], cuts)) if not missing.all() else cuts
        # A missing value is sorted behind every edge; a group of its own is one further.
        return np.asarray(np.searchsorted(edges, numbers, side="right") + missing, dtype=np.intp)
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.intp)
