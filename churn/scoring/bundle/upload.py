"""A place that a bundle appears in whole or not at all: a folder, or a URI it is uploaded to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from churn.durable import TakenError, new_folder
from churn.scoring.address import Address, file_system, unwritable
from churn.scoring.manifest import MANIFEST
from churn.scratch import scratch_folder


@contextmanager
def new_bundle(place: Address) -> Iterator[Path]:
    """Yields a temporary folder; on exit its content is at `place`.

    Raises:
        TakenError: there is one by now.
        BundleError: the URI cannot be written to.
        OSError: the folder cannot be written.
    """
    if isinstance(place, Path):
        with new_folder(place) as unfinished:
            yield unfinished
        return
    with scratch_folder("bundle") as folder:
        unfinished = folder / "unfinished"
        unfinished.mkdir()
        yield unfinished
        upload_bundle(unfinished, place)


def upload_bundle(folder: Path, uri: str) -> None:
    """Uploads a bundle, its manifest last: what has none is no bundle.

    What an upload that broke off has left is replaced by the next one.

    Raises:
        TakenError: there is a bundle by now.
        BundleError: the place cannot be written to.
    """
    try:
        _upload(folder, *file_system(uri))
    except TakenError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unwritable(f"The bundle {uri}", error) from None


def _upload(folder: Path, system: Any, root: str) -> None:
    if system.exists(f"{root}/{MANIFEST}"):
        raise TakenError
    ours = {
        f"{root}/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if stale := [path for path in system.find(root) if path not in ours]:
        system.rm(stale)
    manifest = f"{root}/{MANIFEST}"
    for place, path in ours.items():
        if place != manifest:
            system.pipe_file(place, path.read_bytes())
    try:
        system.pipe_file(manifest, ours[manifest].read_bytes(), mode="create")
    except FileExistsError:
        raise TakenError from None
