"""Which customers judge the final model: set aside before anything is fitted.

A customer's side follows from a keyed hash of the id, so it stays the same as the customer ages,
wherever the row stands in the file, and whoever else is in the table. Where the contract says that
ids are surrogates, the row's features are hashed instead: rows that are alike stay together, but a
customer whose features change may change sides. Where the contract has a date column and each customer
has one row, the latest rows are set aside, and the hash decides among those of the boundary day alone.
With several rows a customer the hash decides: whoever has left is last seen early, so a split by the
last day would be one by outcome.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import encode

_BUCKETS = 2**64
_FEW_AGAIN = 0.01
"""Share of further rows of a customer up to which the table counts as one of a row for each."""


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
    key = seed.to_bytes(8, "little")
    identities = _features(frame, contract) if contract.id.surrogate else _ids(frame, contract)
    hashes = np.fromiter((_hash(each, key) for each in identities), np.uint64, count=len(frame))
    day = _deciding_day(frame, contract)
    if day is None:
        gate = _below(hashes, gate_fraction)
    else:
        gate = _latest(frame[day], hashes, gate_fraction)
    if not gate.any() or gate.all():
        raise InputError(
            f"The table's {len(frame)} rows cannot be split with split.gate_fraction "
            f"{gate_fraction:g}: one side would be empty. Bring more rows."
        )
    return Split(development=np.flatnonzero(~gate), gate=np.flatnonzero(gate))


def split_basis(frame: pd.DataFrame, contract: DataContract) -> str:
    """Returns what decides a row's side, in words that follow "set aside"."""
    who = "by content, as ids are surrogates" if contract.id.surrogate else "by customer id"
    day = _deciding_day(frame, contract)
    return f"by {day}, within a day {who}" if day else who


def _deciding_day(frame: pd.DataFrame, contract: DataContract) -> str | None:
    """Name of the date column by which rows are set aside; None where the hash alone decides."""
    if contract.date is None or frame.empty:
        return None
    again = 0.0 if contract.id.surrogate else float(frame[contract.id.name].duplicated().mean())
    return contract.date.name if again <= _FEW_AGAIN else None


def _latest(dates: pd.Series[str], hashes: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """The latest rows, a share of all; rows of one hash go by the latest of them.

    Of the boundary day, those below the hash that fills the share.
    """
    days, places = np.unique(dates.to_numpy(dtype=str), return_inverse=True)
    day = pd.Series(places).groupby(hashes).transform("max").to_numpy()
    rows = np.bincount(day, minlength=len(days))
    later = rows.sum() - np.cumsum(rows)  # than each day
    boundary = int(np.argmax(later < share * rows.sum()))
    rest = (share * rows.sum() - later[boundary]) / rows[boundary]
    latest: NDArray[np.bool_] = (day > boundary) | ((day == boundary) & _below(hashes, rest))
    return latest


def _below(hashes: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Whether each hash lies in the lower share of all that there can be."""
    limit = np.uint64(min(int(share * _BUCKETS), _BUCKETS - 1))
    below: NDArray[np.bool_] = hashes < limit
    return below


def _hash(identity: bytes | memoryview, key: bytes) -> int:
    """A number of 64 bits by BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8, key=key).digest(), "little")


def _ids(frame: pd.DataFrame, contract: DataContract) -> Iterable[bytes]:
    """The customers' ids."""
    return (str(each).encode() for each in frame[contract.id.name])


def _features(frame: pd.DataFrame, contract: DataContract) -> Iterable[memoryview]:
    """Each row's features, little-endian float64 in contract order."""
    columns = encode(frame, contract)
    # Adding 0.0 turns -0.0 into 0.0: equal numbers, equal bytes.
    table = np.column_stack([np.asarray(v, dtype="<f8") + 0.0 for v in columns.values()])
    return (row.data for row in np.ascontiguousarray(table))
