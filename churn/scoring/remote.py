"""A bundle wherever it lies, as a local folder for as long as it takes to load it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn.errors import BundleError
from churn.scoring.address import address, file_system, unreadable
from churn.scoring.current import BUNDLES, CURRENT, read_current
from churn.scoring.manifest import MANIFEST

_BUNDLE = "alone"  # within no other name of a store


@contextmanager
def local_copy(where: str | os.PathLike[str]) -> Iterator[Path]:
    """The folder itself, or a copy of a remote one that goes away afterwards.

    Args:
        where: a folder, a file:// URI, or a URI that fsspec reads (s3://, gs://, memory://, ...).

    Raises:
        BundleError: the URI cannot be read. What is raised about the copy, by whoever uses it,
            names the URI.
    """
    place = address(where)
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="churn-bundle-") as folder:
        room = Path(folder)
        try:
            yield _fetched(place, room)
        except BundleError as error:
            told = str(error).replace(str(room / _BUNDLE), place).replace(folder, place)
            raise BundleError(told) from None


def _fetched(uri: str, room: Path) -> Path:
    """A bundle in `room`; of a store, its pointer and its current bundle alone."""
    try:
        return _copied(uri, room)
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unreadable(f"The bundle at {uri}", error) from None


def _copied(uri: str, room: Path) -> Path:
    system, root = file_system(uri)
    if system.exists(f"{root}/{CURRENT}"):
        system.get_file(f"{root}/{CURRENT}", str(room / CURRENT))
        inner = f"{BUNDLES}/{read_current(room).version}"
        (room / inner).mkdir(parents=True)
        _copy(system, f"{root}/{inner}", room / inner)
        return room
    if not system.exists(f"{root}/{MANIFEST}"):
        raise FileNotFoundError(f"neither {CURRENT} nor {MANIFEST} is there")
    (room / _BUNDLE).mkdir()
    _copy(system, root, room / _BUNDLE)
    return room / _BUNDLE


def _copy(system: object, source: str, target: Path) -> None:
    # With both slashes, what lies in the one comes into the other, on every file system alike.
    system.get(f"{source}/", f"{target}/", recursive=True)  # type: ignore[attr-defined]
