"""Private folders for what lives no longer than a process: metrics of workers, copies of remote bundles.

They are not in the shared temporary folder, which is emptied while processes run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from churn.errors import InputError
from churn.home import home

VARIABLE = "CHURN_SCRATCH_FOLDER"

_LOCK = ".lock"


@contextmanager
def scratch_folder(name: str, root: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yields a new folder that only this user can read, and removes it on exit.

    Args:
        name: what its own name begins with.
        root: folder to make it in; None for the one that the environment names, or `scratch` of the
            home folder.

    Raises:
        InputError: it cannot be made.
    """
    place = Path(root or os.environ.get(VARIABLE) or home() / "scratch").absolute()
    try:
        folder, lock = _make(place, name)
    except OSError as error:
        raise InputError(
            f"The scratch folder {place} cannot be written to: {error.strerror or error}. Make it "
            f"writable, or name another one in {VARIABLE}."
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(place: Path, name: str) -> tuple[Path, int]:
    """Makes a folder and locks it: the lock ends with the process, however that ends."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    guard = _locked(place / _LOCK)
    try:
        _remove_abandoned(place)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))
        return folder, _locked(folder / _LOCK)
    finally:
        os.close(guard)


def _remove_abandoned(place: Path) -> None:
    """Removes what a killed process has left."""
    for lock in place.glob(f"*/{_LOCK}"):
        with suppress(OSError):
            os.close(_locked(lock, fcntl.LOCK_NB))
            shutil.rmtree(lock.parent, ignore_errors=True)


def _locked(path: Path, flags: int = 0) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | flags)
    except OSError:
        os.close(handle)
        raise
    return handle
