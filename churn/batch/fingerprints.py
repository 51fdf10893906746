"""Hashes of scored rows: of the id, to find rows that repeat it, and of what was scored, for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churn.batch.read_chunk import ReadChunk

_BYTES = 16
FINGERPRINTS = pa.schema([("id_hash", pa.uint64()), ("input_hash", pa.binary(_BYTES))])
"""`id_hash` is null where the table has no ids, `input_hash` where the ledger keeps nothing."""


def fingerprints(read: ReadChunk, names: Sequence[str]) -> Any:
    """The hashes of a chunk's allowed rows, a pyarrow table.

    Args:
        read: the chunk.
        names: the values that are hashed, in their order; none where the ledger keeps nothing.
    """
    count = len(read.rows)
    ids: Any = pa.nulls(count, pa.uint64())
    if count and read.customers.null_count == 0:
        texts = read.customers.to_numpy(zero_copy_only=False)
        ids = pa.array(pd.util.hash_array(texts, categorize=False))
    inputs: Any = pa.nulls(count, pa.binary(_BYTES))
    if count and names:
        values = np.column_stack([read.columns[name] for name in names]).astype("<f8")
        # The very bytes that `churn.ledger.prediction.input_hash` packs one row into.
        inputs = pa.array(
            [blake2b(row, digest_size=_BYTES).digest() for row in values], pa.binary(_BYTES)
        )
    return pa.table([ids, inputs], schema=FINGERPRINTS)
