"""Moves a store's pointer: one writer at a time, and no writer loses an entry of another.

In a folder, by a lock and a rename. In a bucket, by one PUT that the bucket refuses where the
pointer is not the one that was read; then it is read again. Where a file system beyond this machine
knows no such condition (all but `s3://`), the last of two who publish at once wins.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from churn.durable import replace_text
from churn.errors import BundleError
from churn.plain_files import DOCUMENT_BYTES
from churn.scoring.address import Address, file_system, read_file, unwritable
from churn.scoring.current import CURRENT, Pointer, Published, read_history

History = tuple[Published, ...]

_LOCK = ".lock"
_ATTEMPTS = 20
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


def move_pointer(store: Address, further: Callable[[History], History]) -> Published:
    """Updates the history in `current.json` atomically.

    Args:
        store: a folder, or a URI.
        further: returns the new history; if it is unchanged, nothing is written. Asked
            again if another writer was quicker.

    Returns:
        What is in production now.

    Raises:
        BundleError: the store cannot be written to, or whatever `further` raises; `current.json`
            is as it was.
    """
    if isinstance(store, str):
        return _move_remotely(store, further)
    with _locked(store):
        past = read_history(store)
        history = further(past)
        if history is not past:
            try:
                replace_text(store / CURRENT, _text(history))
            except OSError as error:
                raise _unwritten(store, error, moved=read_history(store) == history) from None
    return history[-1]


def _unwritten(store: Path, error: OSError, *, moved: bool) -> BundleError:
    reason = error.strerror or error
    if moved:  # only its folder could not be flushed
        return BundleError(
            f"The store {store} has the new version in production, but its disk reports: {reason}. "
            "A power failure may undo that; check the disk, and publish again."
        )
    return BundleError(
        f"The store {store} cannot be written to: {reason}. What was in production stays there; "
        "make the folder writable and publish again."
    )


def _move_remotely(store: str, further: Callable[[History], History]) -> Published:
    for _ in range(_ATTEMPTS):
        condition = _unchanged(store)  # before it is read: an older mark is only refused once more
        past = read_history(store)
        history = further(past)
        if history is past or _put(store, _text(history), condition):
            return history[-1]
    raise BundleError(
        f"The store {store} is changed by others all the time: after {_ATTEMPTS} tries its {CURRENT} "
        "is still not moved. Find out who publishes there, and publish again."
    )


def _unchanged(store: str) -> dict[str, str]:
    """The condition of a PUT, so that it replaces only what is there now."""
    system, root = _opened(store)
    if "s3" not in _protocols(system):
        return {}
    try:
        return {"IfMatch": str(system.info(f"{root}/{CURRENT}", refresh=True)["ETag"])}
    except FileNotFoundError:
        return {"IfNoneMatch": "*"}
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unwritable(f"The store {store}", error) from None


def _put(store: str, text: str, condition: dict[str, str]) -> bool:
    """Whether the pointer was still what it was, and is replaced."""
    system, root = _opened(store)
    try:
        system.pipe_file(f"{root}/{CURRENT}", text.encode(), **condition)
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        if _code(error) in _TAKEN:
            # Perhaps by ourselves: the driver repeats a request whose response got lost.
            return read_file(f"{store}/{CURRENT}", DOCUMENT_BYTES) == text.encode()
        raise unwritable(f"The store {store}", error) from None
    return True


def _opened(store: str) -> tuple[Any, str]:
    try:
        return file_system(store)
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unwritable(f"The store {store}", error) from None


def _protocols(system: Any) -> tuple[str, ...]:
    names = system.protocol
    return (names,) if isinstance(names, str) else tuple(names)


def _code(error: BaseException | None) -> str:
    """The code of the S3 error that a driver's exception came from."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""


def _text(history: History) -> str:
    pointer = Pointer(version=history[-1].version, history=history)
    # Without empty fields, so that a service of an earlier release can read it.
    return pointer.model_dump_json(indent=1, exclude_none=True) + "\n"


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    """Locks a store for one writer; a process that dies releases the lock."""
    try:
        file = (store / _LOCK).open("a")
    except OSError as error:
        raise BundleError(
            f"The store {store} cannot be written to: {error.strerror or error}. Name a folder "
            "that you may write to."
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
