"""Arrow (Feather) files and streams, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from churn.errors import InputError

FILE, STREAM = b"ARROW1", b"\xff\xff\xff\xff"
"""How they begin."""


def arrow_batches(file: Any, name: str, rows: int) -> Iterator[Any]:
    """Reads an Arrow file or stream; a batch of it is in memory as a whole.

    Args:
        file: It, opened at its beginning.
        name: What errors call it.
        rows: How many rows a batch that is yielded has at most.

    Raises:
        InputError: it is damaged.
    """
    try:
        stream = file.read(len(STREAM)) == STREAM
        file.seek(0)
        reader = pa.ipc.open_stream(file) if stream else pa.ipc.open_file(file)
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        batches = reader if stream else map(reader.get_batch, range(reader.num_record_batches))
        for batch in batches:
            batch.validate(full=True)
            for first in range(0, batch.num_rows, rows):
                yield batch.slice(first, rows)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if getattr(error, "errno", None):  # the place, not the bytes, is at fault
            raise
        raise InputError(
            f"{name} is not a whole Arrow file. Write it again, or hand over parquet."
        ) from None
