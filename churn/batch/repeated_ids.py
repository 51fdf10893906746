"""Rows whose id an earlier row has, found in memory that does not grow with the rows.

Hashes of all ids are compared first, some at a time; the few that occur twice are looked up by the
ids themselves. Only rows that were scored count, so a customer whose first row was refused is scored
by the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.batch.arrow_arrays import numpy_array
from churn.batch.fingerprints import FINGERPRINTS
from churn.batch.output_folder import OutputFolder
from churn.batch.part import Part, read_table

_AT_ONCE = 4_000_000  # hashes, of 8 bytes
_Hashes = NDArray[np.uint64]


def repeated_rows(
    folder: OutputFolder, parts: Sequence[Part], schema: Any, at_once: int = _AT_ONCE
) -> dict[int, dict[int, int]]:
    """Part number -> row number -> the first row with the same id; parts without any are left out.

    Args:
        folder: the output.
        parts: all of its parts, in order.
        schema: columns of the scores.
        at_once: hashes that are compared at a time.
    """
    suspicious = _hashes_of_several(folder, parts, at_once)
    first_rows: dict[str, int] = {}
    found: dict[int, dict[int, int]] = {}
    for part, hashes in _hashes(folder, parts if len(suspicious) else ()):
        places = np.flatnonzero(np.isin(hashes, suspicious))
        if not len(places):
            continue
        some = read_table(folder, part.scores, schema, ["row", "customer_id"]).take(places)
        for row, customer in zip(
            *(some[name].to_pylist() for name in some.column_names), strict=True
        ):
            first = first_rows.setdefault(customer, row)
            if first != row:
                found.setdefault(part.number, {})[row] = first
    return found


def _hashes_of_several(folder: OutputFolder, parts: Sequence[Part], at_once: int) -> _Hashes:
    shares = -(-sum(part.scores.rows for part in parts) // at_once)
    found = [np.empty(0, np.uint64)]
    for share in range(shares):
        some = [hashes[hashes % shares == share] for _, hashes in _hashes(folder, parts)]
        ordered = np.sort(np.concatenate(some)) if some else np.empty(0, np.uint64)
        found.append(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
    return np.concatenate(found)


def _hashes(folder: OutputFolder, parts: Sequence[Part]) -> Iterator[tuple[Part, _Hashes]]:
    for part in parts:
        column = read_table(folder, part.fingerprints, FINGERPRINTS, ["id_hash"])["id_hash"]
        if column.null_count == 0:
            yield part, numpy_array(column)
