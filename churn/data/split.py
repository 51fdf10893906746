"""Which rows judge the final model: set aside before anything is fitted, by the rows' content.

A row goes to the side that a keyed hash of its feature values falls on. So customers with equal
features never stand on both sides, the order of the file and the customers' ids change nothing,
and a row stays on its side when others are added to the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import encode

_BUCKETS = 2**64


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the rows on either side; together, every row once.

    Attributes:
        development: int64[d], rows that choosing and fitting may see, ascending.
        gate: int64[g], rows that judge the final model, ascending.
    """

    development: NDArray[np.int64]
    gate: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many rows were split."""
        return len(self.development) + len(self.gate)


def split_rows(
    frame: pd.DataFrame, contract: DataContract, *, gate_fraction: float, seed: int
) -> Split:
    """Sets rows aside.

    Args:
        frame: A typed table of n rows.
        contract: The contract it was parsed by.
        gate_fraction: Expected share of the gate rows, above 0 and below 1.
        seed: The hash's key.

    Returns:
        The split. The share of gate rows varies about `gate_fraction` as n coin tosses do.

    Raises:
        InputError: one side would be empty.
    """
    limit = int(gate_fraction * _BUCKETS)
    gate = np.fromiter(
        (hashed < limit for hashed in _hashes(frame, contract, seed)), dtype=bool, count=len(frame)
    )
    if not gate.any() or gate.all():
        raise InputError(
            f"The table's {len(frame)} rows cannot be split with split.gate_fraction "
            f"{gate_fraction:g}: one side would be empty. Bring more rows."
        )
    return Split(development=np.flatnonzero(~gate), gate=np.flatnonzero(gate))


def _hashes(frame: pd.DataFrame, contract: DataContract, seed: int) -> Iterator[int]:
    """One 64-bit number a row: BLAKE2b of the features, little-endian float64 in contract order."""
    columns = encode(frame, contract)
    # Adding 0.0 turns -0.0 into 0.0: equal numbers, equal bytes.
    table = np.column_stack([np.asarray(v, dtype="<f8") + 0.0 for v in columns.values()])
    key = seed.to_bytes(8, "little")
    for row in np.ascontiguousarray(table):
        yield int.from_bytes(hashlib.blake2b(row, digest_size=8, key=key).digest(), "little")
