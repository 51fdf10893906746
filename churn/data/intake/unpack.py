"""Compressed files: what they hold, up to a limit."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pyarrow as pa

from churn.data.dataset import Format
from churn.errors import InputError


class Packing(NamedTuple):
    """A way to compress a file.

    Attributes:
        name: What a file of this kind is called.
        format: What a CSV file of this kind is called.
        open: Returns a file of what a file holds.
    """

    name: str
    format: Format
    open: Callable[[Any], Any]


_PACKINGS = {
    b"\x1f\x8b": Packing("a gzip file", "csv.gz", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": Packing("a bzip2 file", "csv.bz2", bz2.BZ2File),
    b"\xfd7zXZ\0": Packing("an xz file", "csv.xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": Packing(
        "a zstd file", "csv.zst", lambda file: pa.CompressedInputStream(file, "zstd")
    ),
}
MAGIC = max(map(len, _PACKINGS))
"""Bytes that show how a file is compressed."""


def packing(start: bytes) -> Packing | None:
    """How a file is compressed, by its first bytes; None if it is not."""
    return next((each for magic, each in _PACKINGS.items() if start.startswith(magic)), None)


class UnpackedFile:
    """What a compressed file holds; several members follow one another.

    Reading raises `InputError` where the file is damaged, ends too early, holds more than `largest`
    bytes or another compressed file.
    """

    def __init__(self, file: Any, name: str, how: Packing, largest: int | None) -> None:
        self._name, self._how, self._largest = name, how, largest
        self._size = 0
        self._file = how.open(file)

    def close(self) -> None:
        """Lets go of the buffers at once (8 MB for xz), whoever still holds this file."""
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them; none at the end."""
        name, how = self._name, self._how
        try:
            piece: bytes = self._file.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            if isinstance(error, EOFError) or "Truncated" in str(error):  # Arrow has no type for it
                raise InputError(
                    f"{name} is {how.name} that ends too early. Copy or download it again."
                ) from None
            raise InputError(
                f"{name} is a damaged {how.name.split(' ', 1)[1]}. Make it again, or hand over the "
                "CSV file itself."
            ) from None
        inside = None if self._size else packing(piece)
        if inside is not None:
            raise InputError(
                f"{name} is {inside.name} in {how.name}, not a CSV table. Export the table as CSV."
            )
        self._size += len(piece)
        if self._largest is not None and self._size > self._largest:
            raise InputError(
                f"{name} unpacks to more than {self._largest:,} bytes, and no table read here "
                "may. Split it."
            )
        return piece
