"""How far a feature's distribution has moved from the accepted table: the PSI.

The population stability index adds, over the categories or bins of a feature, the change of its
share times the change of that share's logarithm (Siddiqi 2006, "Credit Risk Scorecards"). It
is Jeffreys' symmetric form of the Kullback-Leibler divergence (1946), in nats. By the trade's
habit 0.1 is worth a look and 0.25 a shift. Two samples of one population show about
(bins - 1) * (1/n + 1/m) by chance alone (Yurdakul & Naranjo 2020, J. Risk Model Validation), so on
tables of a few hundred rows 0.1 is not far from noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import CodedColumn, NumberColumn
from churn.distances import psi_terms, smoothed_shares

BINS = 10


@dataclass(frozen=True)
class Shift:
    """How one feature's distribution compares with the accepted one.

    Attributes:
        psi: The population stability index, in nats; 0 for equal distributions.
        mover: The category or range that adds most to it.
        was: That one's share of the accepted rows.
        now: Its share of the rows at hand.
    """

    psi: float
    mover: str
    was: float
    now: float


def shift(
    column: CodedColumn | NumberColumn, accepted: pd.Series[Any], current: pd.Series[Any]
) -> Shift:
    """Compares a feature with itself in the accepted table.

    A number is cut at the accepted table's deciles (equal ones merged), so that the bins never
    depend on the table being judged. Blanks and unknown categories take no part: other checks
    name them. Half a customer is added to every share (Jeffreys' prior), so that an empty bin
    gives a finite index whatever the size of the table.

    Args:
        column: The feature.
        accepted: Its values in the accepted table, shape [m].
        current: Its values in the table at hand, shape [n].

    Raises:
        ValueError: a number column holds text, or a table has no value that takes part.
        TypeError: a number column holds something that is not a number at all.
    """
    if isinstance(column, NumberColumn):
        before, after, labels = _counts_of_numbers(accepted, current)
    else:
        labels = list(column.categories)
        before, after = (_counts_of_categories(each, labels) for each in (accepted, current))
    if not (before.any() and after.any()):
        # Smoothing would make a uniform distribution of nothing at all.
        raise ValueError(f"column {column.name!r} has no values to compare")
    terms = psi_terms(smoothed_shares(before), smoothed_shares(after))
    most = int(np.argmax(terms))
    return Shift(
        psi=float(terms.sum()),
        mover=labels[most],
        was=float(before[most] / before.sum()),
        now=float(after[most] / after.sum()),
    )


def _counts_of_categories(values: pd.Series[Any], categories: list[str]) -> NDArray[np.float64]:
    codes = np.asarray(pd.Categorical(values, categories=categories).codes)
    return np.bincount(codes[codes >= 0], minlength=len(categories)).astype(np.float64)


def _counts_of_numbers(
    accepted: pd.Series[Any], current: pd.Series[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    before, after = (each.dropna().to_numpy(dtype=np.float64) for each in (accepted, current))
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(before, inner)) if before.size else np.zeros(0)
    counts = [
        np.bincount(np.searchsorted(edges, each, side="right"), minlength=edges.size + 1)
        for each in (before, after)
    ]
    texts = [f"{edge:g}" for edge in edges]
    labels = ["any value"]
    if texts:
        between = [f"{low} to below {high}" for low, high in pairwise(texts)]
        labels = [f"below {texts[0]}", *between, f"{texts[-1]} and above"]
    return counts[0].astype(np.float64), counts[1].astype(np.float64), labels
