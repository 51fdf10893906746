"""Which rows judged a model, small enough to be kept with every decision."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from churn.frozen_model import FrozenModel
from churn.promotion.digests import RowDigests

_KEPT = 2048
_FEWEST = 30  # in the part that both samples know; the share's standard error is .09 there
_EVERYTHING = 2**64 - 1


class RowSample(FrozenModel):
    """Which rows judged, in at most 16 KiB: those with the smallest digests, 64 bits of each.

    Up to 2,048 rows are kept whole. Of more it is a random sample, which holds the same rows of two
    tables wherever they share them (a bottom-k sketch).

    Attributes:
        layout: of the digests: `customers` for those of ids; only equal layouts can be compared.
        complete: whether it holds every row.
        digests: little-endian 64-bit numbers, ascending and each once, in base64.
    """

    layout: str
    complete: bool
    digests: str

    @classmethod
    def of(cls, rows: RowDigests) -> RowSample:
        """Samples rows by their customers' ids where they are known; equal rows count once."""
        layout, digests = rows.layout, rows.values
        if rows.customers is not None:
            layout, digests = "customers", rows.customers
        values = np.unique(digests[:, 0])
        kept = values[:_KEPT].astype("<u8")
        return cls(
            layout=layout,
            complete=len(values) <= _KEPT,
            digests=base64.b64encode(kept.tobytes()).decode(),
        )

    @property
    def values(self) -> NDArray[np.uint64]:
        """The digests, uint64[n]."""
        return np.frombuffer(base64.b64decode(self.digests), dtype="<u8")

    def share_among(self, others: RowSample) -> float | None:
        """Share of these rows that are among the others; None where it cannot be told.

        Exact where both samples are complete; otherwise an estimate with a standard error of .02
        for two tables of like size, and of .09 at most.
        """
        if self.layout != others.layout:
            return None
        ours, theirs = self.values, others.values
        # Below this digest both samples hold every row.
        limit = min(
            _EVERYTHING if sample.complete else int(values[-1])
            for sample, values in ((self, ours), (others, theirs))
        )
        known = ours[ours <= limit]
        fewest = 1 if self.complete and others.complete else _FEWEST
        return float(np.isin(known, theirs).mean()) if len(known) >= fewest else None
