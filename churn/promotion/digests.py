"""Digests of rows, which show whether a model was fitted on rows that judge it.

A digest takes 16 bytes a row and can be kept beside a model for as long as it serves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns

_BYTES = 16  # 128 bits: a million rows collide by chance with probability 1e-27


@dataclass(frozen=True, eq=False)
class RowDigests:
    """Digests of rows by their features, without ids and outcomes.

    Attributes:
        layout: digest of how the features were encoded; only equal layouts can be compared.
        values: uint64[n, 2], a BLAKE2b of 128 bits per row.
    """

    layout: str
    values: NDArray[np.uint64]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.values)

    def found_in(self, others: RowDigests) -> int:
        """Counts how many of these rows occur among the others.

        Raises:
            InputError: the two were encoded by different contracts.
        """
        if self.layout != others.layout:
            raise InputError(
                "The training rows' digests were made under another contract's columns or "
                "categories than the gate rows'. Compute them again from the training snapshot."
            )
        known = {row.tobytes() for row in others.values}
        return sum(row.tobytes() in known for row in self.values)


def row_digests(columns: Columns, contract: DataContract) -> RowDigests:
    """Digests of n encoded rows: BLAKE2b of the features as float64, in contract order.

    The same bytes as the split hashes, without its key: equal features, equal digest.

    Raises:
        InputError: a feature column is missing.
    """
    missing = [column.name for column in contract.features if column.name not in columns]
    if missing:
        raise InputError(
            f"Column '{missing[0]}' is missing; the digests of rows under contract "
            f"'{contract.name}' need every feature. Add it to the columns."
        )
    # Adding 0.0 turns -0.0 into 0.0: equal numbers, equal bytes.
    table = np.column_stack([np.asarray(columns[c.name], "<f8") + 0.0 for c in contract.features])
    digests = b"".join(
        hashlib.blake2b(row, digest_size=_BYTES).digest() for row in np.ascontiguousarray(table)
    )
    return RowDigests(
        layout=_layout(contract),
        values=np.frombuffer(digests, dtype="<u8").reshape(len(table), 2),
    )


def _layout(contract: DataContract) -> str:
    """Digest of the encoding: a code is an index into the contract's categories."""
    encoding = [(c.name, c.kind, getattr(c, "categories", ())) for c in contract.features]
    return hashlib.sha256(json.dumps(encoding).encode()).hexdigest()
