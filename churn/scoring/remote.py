"""Local copy of a bundle, for the length of a `with` block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn.errors import BundleError
from churn.scoring.address import address, file_system, unreadable
from churn.scoring.current import BUNDLES, CURRENT, read_current
from churn.scoring.manifest import MANIFEST
from churn.scratch import scratch_folder

_BUNDLE = "alone"  # within no other name of a store


@contextmanager
def local_copy(
    where: str | os.PathLike[str], scratch: str | os.PathLike[str] | None = None
) -> Iterator[Path]:
    """The folder itself, or a copy of a remote one that goes away afterwards.

    Args:
        where: a folder, a file:// URI, or a URI that fsspec reads (s3://, gs://, memory://, ...).
        scratch: folder for the copy; None for the default.

    Raises:
        BundleError: the URI cannot be read. What is raised about the copy, by whoever uses it,
            names the URI.
        InputError: the copy cannot be written.
    """
    place = address(where)
    if isinstance(place, Path):
        yield place
        return
    with scratch_folder("bundle", scratch) as local:
        try:
            yield _download(place, local)
        except BundleError as error:
            message = str(error).replace(str(local / _BUNDLE), place).replace(str(local), place)
            raise BundleError(message) from None


def _download(uri: str, local: Path) -> Path:
    """Copies a bundle to `local`; of a store, only its pointer and its current bundle."""
    try:
        return _copied(uri, local)
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unreadable(f"The bundle at {uri}", error) from None


def _copied(uri: str, local: Path) -> Path:
    system, root = file_system(uri)
    if system.exists(f"{root}/{CURRENT}"):
        system.get_file(f"{root}/{CURRENT}", str(local / CURRENT))
        inner = f"{BUNDLES}/{read_current(local).version}"
        (local / inner).mkdir(parents=True)
        _copy(system, f"{root}/{inner}", local / inner)
        return local
    if not system.exists(f"{root}/{MANIFEST}"):
        raise FileNotFoundError(f"neither {CURRENT} nor {MANIFEST} is there")
    (local / _BUNDLE).mkdir()
    _copy(system, root, local / _BUNDLE)
    return local / _BUNDLE


def _copy(system: object, source: str, target: Path) -> None:
    # With both slashes, what lies in the one comes into the other, on every file system alike.
    system.get(f"{source}/", f"{target}/", recursive=True)  # type: ignore[attr-defined]
