"""Files that others put where we read them: only plain ones are opened, and none blocks or fills the memory."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

DOCUMENT_BYTES = 16 * 2**20
"""Size limit of a JSON document; the largest that we write have some hundred kilobytes."""

_KINDS = {
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
}


def special_kind(mode: int) -> str | None:
    """Returns what a file is by its mode, `pipe` for example; None for a plain file."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "special file")


def read_plain(path: Path, limit: int) -> bytes:
    """Returns the content of a plain file of at most `limit` bytes; a link to one is followed.

    Raises:
        OSError: there is none, or it is larger.
    """
    facts = path.stat()  # first: to open a pipe waits for its other end, and a device may act
    if kind := special_kind(facts.st_mode):
        raise OSError(f"it is a {kind}, not a file")
    if facts.st_size <= limit:
        # A pipe that has taken its place by now is not waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            content = file.read(limit + 1)
        if len(content) <= limit:
            return content
    raise OSError(f"it is larger than {limit:,} bytes")


def read_json(path: Path) -> Any:
    """Returns the content of a JSON document of at most `DOCUMENT_BYTES`.

    Raises:
        OSError: there is none, or it is larger.
        ValueError, RecursionError: it is no JSON in UTF-8, or nested too deeply.
    """
    return json.loads(read_plain(path, DOCUMENT_BYTES).decode("utf-8"))
