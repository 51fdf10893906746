"""Files and folders that are complete or absent, even after a power failure."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished-"
"""Prefix of a folder that is still being written, or was never finished."""


class TakenError(Exception):
    """The place of a new folder is taken."""


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Yields a temporary folder that is renamed to `place` on exit.

    Raises:
        TakenError: `place` is there by now.
        OSError: it cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=place.parent, prefix=UNFINISHED))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        flush_tree(unfinished)
        _rename(unfinished, place)
        flush_folder(place.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def replace_text(path: Path, text: str) -> None:
    """Writes a text file beside its place and moves it there in one step."""
    replace_file(path, text.encode("utf-8"))


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its place and moves it there in one step."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields an empty file beside `path` that is moved there on exit."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(0o644)
        _flush_file(unfinished)
        unfinished.replace(path)
        flush_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def flush_tree(folder: Path) -> None:
    """Waits until every file below a folder, and the folders themselves, are on the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            flush_folder(path)
        else:
            _flush_file(path)
    flush_folder(folder)


def _flush_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Waits until a folder's entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename(unfinished: Path, place: Path) -> None:
    if place.exists():  # an empty folder would be renamed over
        raise TakenError
    try:
        unfinished.rename(place)
    except OSError:
        if place.exists():  # another writer was quicker
            raise TakenError from None
        raise
