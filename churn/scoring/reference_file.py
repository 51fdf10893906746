"""The file of a bundle's reference: a numpy archive, opened without unpacking what would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

_MOST_BYTES = 64 * 2**20  # unpacked; the shipped contract's has 0.2 MB


@contextmanager
def open_reference(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yields the arrays, each read when it is asked for.

    Raises:
        OSError, BadZipFile, ValueError: it is no archive of arrays, or too large.
    """
    with ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > _MOST_BYTES:
        raise ValueError(f"unpacked it would have {size:,} bytes, more than {_MOST_BYTES:,}")
    with np.load(path, allow_pickle=False) as arrays:
        yield arrays
