"""Digests of rows, which show whether a model was fitted on rows that judge it.

A digest takes 16 bytes a row and can be kept beside a model for as long as it serves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns

_BYTES = 16  # 128 bits: a million rows collide by chance with probability 1e-27


@dataclass(frozen=True, eq=False)
class RowDigests:
    """Digests of rows by their features, without outcomes, and of whose rows they are.

    Attributes:
        layout: digest of how the features were encoded; only equal layouts can be compared.
        values: uint64[n, 2], a BLAKE2b of 128 bits per row.
        customers: uint64[n, 2], the same of each row's customer id; None where the ids are
            surrogates or were not given.
    """

    layout: str
    values: NDArray[np.uint64]
    customers: NDArray[np.uint64] | None = None

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
        return int(_found(self.values, others.values).sum())

    def customers_found_in(self, others: RowDigests) -> int | None:
        """Counts how many of these rows are of a customer among the others; None if not known."""
        if self.customers is None or others.customers is None:
            return None
        return int(_found(self.customers, others.customers).sum())


def row_digests(
    columns: Columns, contract: DataContract, ids: Iterable[str] | None = None
) -> RowDigests:
    """Digests of n encoded rows: BLAKE2b of the features as float64, in contract order.

    The same bytes as the split hashes, without its key: equal features, equal digest. With the
    n customers' `ids`, digests of these too, unless the contract says that they are surrogates.

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
    customers = None
    if ids is not None and not contract.id.surrogate:
        customers = _digests(str(each).encode() for each in ids)
    return RowDigests(
        layout=layout(contract),
        values=_digests(row.data for row in np.ascontiguousarray(table)),
        customers=customers,
    )


def _digests(contents: Iterable[bytes | memoryview]) -> NDArray[np.uint64]:
    """A digest of each content, uint64[n, 2]."""
    joined = b"".join(hashlib.blake2b(each, digest_size=_BYTES).digest() for each in contents)
    return np.frombuffer(joined, dtype="<u8").reshape(-1, 2)


def _found(these: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each of these digests is among the others."""
    known = {each.tobytes() for each in others}
    return np.array([each.tobytes() in known for each in these], dtype=np.bool_)


def layout(contract: DataContract) -> str:
    """Returns the digest of an encoding: a code is an index into the contract's categories."""
    encoding = [(c.name, c.kind, getattr(c, "categories", ())) for c in contract.features]
    return hashlib.sha256(json.dumps(encoding).encode()).hexdigest()
