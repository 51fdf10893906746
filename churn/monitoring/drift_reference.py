"""What the training rows looked like: the side of every drift comparison that never changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns, Floats, row_count
from churn.monitoring.calibration import Calibration, calibrate

LEVELS = np.linspace(0.0, 1.0, 1001)
"""Levels of the stored quantiles: every thousandth."""
MOST_SAMPLED = 10_000

_BINS = 20
_SEED = 20_261_130  # one seed for all: equal training rows make equal bytes

Counts = NDArray[np.int64]
Codes = NDArray[np.uint8]


def quantiles(values: Floats) -> Floats:
    """The quantiles at `LEVELS` of numbers without NaN, each a value that occurs.

    As `numpy.quantile(..., method="inverted_cdf")`, which takes eight times as long for so many
    levels of a million numbers, and a hundred times for those of 2,000.
    """
    places = np.ceil(len(values) * LEVELS - 1).astype(np.int64)
    return np.sort(values)[np.maximum(places, 0)]


@dataclass(frozen=True)
class NumberReference:
    """One number among the training rows.

    Attributes:
        quantiles: float64[1001], values that occurred, at `LEVELS`.
        edges: float64[bins - 1], rising; bin i holds edges[i - 1] <= value < edges[i].
        counts: int64[bins], training rows in each bin; the outer bins reach without end.
    """

    quantiles: Floats
    edges: Floats
    counts: Counts

    @classmethod
    def from_values(cls, values: Floats) -> NumberReference:
        """Quantiles, and about 20 bins that hold about as many rows each."""
        inner = np.quantile(values, np.arange(1, _BINS) / _BINS, method="inverted_cdf")
        # A value that fills several bins (most customers' first month) gets one of its own.
        edges = np.unique(inner)
        bins = np.searchsorted(edges, values, side="right")
        return cls(
            quantiles=quantiles(values),
            edges=edges,
            counts=np.bincount(bins, minlength=len(edges) + 1).astype(np.int64),
        )

    def codes(self, values: ArrayLike) -> Codes:
        """The bin of each value; what is no number gets a bin of its own, after the last."""
        numbers = np.asarray(values, dtype=np.float64)
        bins = np.searchsorted(self.edges, numbers, side="right")
        return np.where(np.isnan(numbers), len(self.counts), bins).astype(np.uint8)


@dataclass(frozen=True)
class DriftReference:
    """The training rows, column by column, and the scores the model gave them.

    Attributes:
        rows: how many there were.
        numbers: number column -> its distribution.
        categories: coded column -> int64[categories], training rows per code.
        scores: distribution of the model's probabilities over the training rows.
        calibration: at most 10,000 of the training rows, as bins, and what chance makes of the
            smallest p-value; None in bundles of earlier releases, and of fewer than 200 rows.
    """

    rows: int
    numbers: dict[str, NumberReference]
    categories: dict[str, Counts]
    scores: NumberReference
    calibration: Calibration | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of their codes, where the score comes after them."""
        return (*self.numbers, *self.categories)

    def counts(self) -> tuple[Counts, ...]:
        """Training rows by bin, for each column and the score; the last bin is for what has none."""
        known = (
            *(each.counts for each in self.numbers.values()),
            *self.categories.values(),
            self.scores.counts,
        )
        return tuple(np.append(each, 0) for each in known)

    def codes(self, columns: Columns, probability: Floats) -> Codes:
        """Bins of rows, uint8[n, columns + 1].

        A blank number and an unknown category (a code below 0, or past the last) count as values
        that no training row had.

        Raises:
            InputError: a column is missing, holds no numbers or codes, or has another number of rows.
        """
        missing = [name for name in self.names if name not in columns]
        if missing:
            raise InputError(
                f"Column '{missing[0]}' is missing from the window; the drift reference has it. "
                "Bring the window with every feature column of the bundle's contract."
            )
        for name in self.names:
            values = np.asarray(columns[name])
            if values.dtype.kind not in "biuf" or values.shape != (len(probability),):
                raise InputError(
                    f"Column '{name}' of the window is {values.dtype} of shape {values.shape}; a "
                    f"check needs {len(probability)} numbers or codes, one for each score. Encode "
                    "the window by the bundle's contract."
                )
        parts = [number.codes(columns[name]) for name, number in self.numbers.items()]
        for name, counts in self.categories.items():
            code = np.asarray(columns[name], dtype=np.int64)
            unknown = (code < 0) | (code >= len(counts))
            parts.append(np.where(unknown, len(counts), code).astype(np.uint8))
        parts.append(self.scores.codes(probability))
        return np.column_stack(parts)


def build_reference(
    columns: Columns, probability: Floats, contract: DataContract
) -> DriftReference:
    """The reference of n training rows, and of the model's probabilities float64[n] for them."""
    known = DriftReference(
        rows=row_count(columns),
        numbers={c.name: NumberReference.from_values(columns[c.name]) for c in contract.numbers},
        categories={
            c.name: np.bincount(columns[c.name], minlength=len(c.categories)).astype(np.int64)
            for c in contract.coded
        },
        scores=NumberReference.from_values(probability),
    )
    generator = np.random.default_rng(_SEED)
    # Without the order of the table: a row's place in it would name its customer.
    drawn = generator.permutation(known.rows)[:MOST_SAMPLED]
    sample = known.codes({name: columns[name][drawn] for name in known.names}, probability[drawn])
    bins = tuple(len(each) for each in known.counts())
    return replace(known, calibration=calibrate(sample, bins, generator))
