"""Hashes of scored rows: of the id, to find rows that repeat it, and of what was scored, for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.batch.arrow_arrays import number_array
from churn.batch.read_chunk import ReadChunk

ID_HASH: Literal["words"] = "words"
"""Names how ids are hashed: two kinds in one job would not find a repeated id."""
_BYTES = 16
_WORD = 8  # bytes
_ODD = 0x9E3779B97F4A7C15  # any odd number with mixed bits
_HALF = 32
FINGERPRINTS = pa.schema([("id_hash", pa.uint64()), ("input_hash", pa.binary(_BYTES))])
"""`id_hash` is null where the table has no ids; `input_hash` is absent where the ledger keeps nothing."""


def fingerprints(read: ReadChunk, names: Sequence[str]) -> Any:
    """The hashes of a chunk's allowed rows, a pyarrow table.

    Args:
        read: the chunk.
        names: the values that are hashed, in their order; none where the ledger keeps nothing.
    """
    count = len(read.rows)
    ids: Any = pa.nulls(count, pa.uint64())
    if count and read.customers.null_count == 0:
        ids = number_array(text_hashes(read.customers))
    if not names:
        return pa.table([ids], schema=pa.schema([FINGERPRINTS.field("id_hash")]))
    inputs: Any = pa.nulls(0, pa.binary(_BYTES))
    if count:
        values = np.column_stack([read.columns[name] for name in names]).astype("<f8")
        # The very bytes that `churn.ledger.prediction.input_hash` packs one row into.
        content = b"".join(blake2b(row, digest_size=_BYTES).digest() for row in values)
        inputs = pa.Array.from_buffers(pa.binary(_BYTES), count, [None, pa.py_buffer(content)])
    return pa.table([ids, inputs], schema=FINGERPRINTS)


def text_hashes(texts: Any) -> NDArray[np.uint64]:
    """A number of 64 bits for each text of a pyarrow array without nulls: equal for equal texts.

    It is the same whatever other texts it is among: the zeros that fill up shorter ones add nothing.
    """
    longest = pc.max(pc.binary_length(texts)).as_py() or 1
    words = -(-longest // _WORD)
    filled = pc.ascii_rpad(texts, words * _WORD, padding="\0")  # all of one length now
    _, _, content = filled.buffers()
    parts = np.frombuffer(content or b"", "<u8", len(texts) * words).reshape(len(texts), words)
    total = np.zeros(len(texts), np.uint64)
    for place in range(words):
        mixed = parts[:, place] * np.uint64(_ODD)
        mixed ^= mixed >> np.uint64(_HALF)
        total += mixed * np.uint64(pow(_ODD, place + 2, 1 << 64))
    return total
