"""From a file's bytes to a table of texts: CSV, gzipped CSV or parquet, recognised by the bytes."""

from __future__ import annotations

import zlib
from typing import Any

from churn.data.dataset import Format
from churn.data.intake.csv_text import read_csv
from churn.data.intake.parquet_text import read_parquet
from churn.errors import InputError

LARGEST = 2 << 30  # bytes, of a source and of what it unpacks to

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


def read_raw(content: bytes, name: str, *, largest: int = LARGEST) -> tuple[Any, Format]:
    """Reads every cell of a source, of at most `largest` bytes once unpacked, as text.

    Returns:
        A pyarrow table of texts, nulls only where a parquet file has them; and the format.

    Raises:
        InputError: the bytes are no table.
    """
    if content.startswith(_PARQUET) or name.casefold().endswith(".parquet"):
        return read_parquet(content, name, largest=largest), "parquet"
    if content.startswith(_GZIP):
        return read_csv(_unpacked(content, name, largest), name), "csv.gz"
    return read_csv(content, name), "csv"


def _unpacked(content: bytes, name: str, largest: int) -> bytes:
    """What a gzip file holds; several members follow one another, as gzip itself has it."""
    parts: list[bytes] = []
    remaining = largest
    rest = content
    while rest.startswith(_GZIP) or rest.strip(b"\0"):
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(unpacker.decompress(rest, remaining + 1))
        except zlib.error:
            raise InputError(
                f"{name} is a damaged gzip file. Make it again, or hand over the CSV file itself."
            ) from None
        remaining -= len(parts[-1])
        if remaining < 0:
            raise InputError(
                f"{name} unpacks to more than {largest:,} bytes, and no table read here may. "
                "Split it."
            )
        if not unpacker.eof:
            raise InputError(
                f"{name} is a gzip file that ends too early. Copy or download it again."
            )
        rest = unpacker.unused_data
    return b"".join(parts)
