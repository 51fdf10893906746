"""What the training rows looked like: the side of every drift comparison that never changes.

The calibrated detector reads it; nothing here decides what drift is. docs/bundle.md lists the
arrays.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract
from churn.errors import BundleError
from churn.features.encoding import Columns, Floats, row_count
from churn.scoring.address import reason
from churn.scoring.reference_file import open_reference

LEVELS = np.linspace(0.0, 1.0, 1001)
"""Levels of the stored quantiles: every thousandth."""

_BINS = 20


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
    counts: NDArray[np.int64]

    @classmethod
    def from_values(cls, values: Floats) -> NumberReference:
        """Quantiles, and about 20 bins that hold about as many rows each."""
        inner = np.quantile(values, np.arange(1, _BINS) / _BINS, method="inverted_cdf")
        # A value that fills several bins (most customers' first month) gets one of its own.
        edges = np.unique(inner)
        bins = np.searchsorted(edges, values, side="right")
        return cls(
            quantiles=np.quantile(values, LEVELS, method="inverted_cdf"),
            edges=edges,
            counts=np.bincount(bins, minlength=len(edges) + 1).astype(np.int64),
        )


@dataclass(frozen=True)
class Reference:
    """The training rows, column by column, and the scores the model gave them.

    Attributes:
        rows: how many there were.
        numbers: number column -> its distribution.
        categories: coded column -> int64[categories], training rows per code.
        scores: distribution of the model's probabilities over the training rows.
    """

    rows: int
    numbers: dict[str, NumberReference]
    categories: dict[str, NDArray[np.int64]]
    scores: NumberReference


def build_reference(columns: Columns, probability: Floats, contract: DataContract) -> Reference:
    """The reference of n training rows, and of the model's probabilities float64[n] for them."""
    return Reference(
        rows=row_count(columns),
        numbers={c.name: NumberReference.from_values(columns[c.name]) for c in contract.numbers},
        categories={
            c.name: np.bincount(columns[c.name], minlength=len(c.categories)).astype(np.int64)
            for c in contract.coded
        },
        scores=NumberReference.from_values(probability),
    )


def as_bytes(reference: Reference) -> bytes:
    """The reference as a numpy archive; equal references are equal bytes."""
    arrays: dict[str, Any] = {"rows": np.array([reference.rows], dtype=np.int64)}
    for name, counts in reference.categories.items():
        arrays[f"categories/{name}/counts"] = counts
    for name, number in reference.numbers.items():
        arrays |= _arrays(f"numbers/{name}", number)
    arrays |= _arrays("scores", reference.scores)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_reference(path: Path, contract: DataContract) -> Reference:
    """The reference of a bundle, from its `reference.npz`.

    Raises:
        BundleError: it cannot be read, or is of other columns.
    """
    try:
        with open_reference(path) as arrays:
            return Reference(
                rows=int(arrays["rows"][0]),
                numbers={c.name: _number(arrays, f"numbers/{c.name}") for c in contract.numbers},
                categories={c.name: arrays[f"categories/{c.name}/counts"] for c in contract.coded},
                scores=_number(arrays, "scores"),
            )
    except Exception as error:  # noqa: BLE001 - a broken archive may fail in any way
        raise BundleError(
            f"The drift reference {path} cannot be read: {reason(error)}. Write the bundle anew."
        ) from None


def _arrays(prefix: str, number: NumberReference) -> dict[str, Any]:
    return {
        f"{prefix}/quantiles": number.quantiles,
        f"{prefix}/edges": number.edges,
        f"{prefix}/counts": number.counts,
    }


def _number(arrays: Any, prefix: str) -> NumberReference:
    return NumberReference(
        quantiles=arrays[f"{prefix}/quantiles"],
        edges=arrays[f"{prefix}/edges"],
        counts=arrays[f"{prefix}/counts"],
    )
