"""A bundle wherever it lies, as a local folder for as long as it takes to load it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from churn.errors import BundleError
from churn.scoring.current import BUNDLES, CURRENT, read_current
from churn.scoring.manifest import MANIFEST


@contextmanager
def local_copy(where: str | os.PathLike[str]) -> Iterator[Path]:
    """The folder itself, or a copy of a remote one that goes away afterwards.

    Args:
        where: a folder, a file:// URI, or a URI that fsspec reads (s3://, gs://, memory://, ...).

    Raises:
        BundleError: the URI cannot be read.
    """
    text = os.fspath(where)
    if "://" not in text:
        yield Path(text)
    elif text.startswith("file://"):
        yield Path(unquote(urlsplit(text).path))
    else:
        with tempfile.TemporaryDirectory(prefix="churn-bundle-") as room:
            yield _fetched(text.rstrip("/"), Path(room))


def _fetched(uri: str, room: Path) -> Path:
    """A bundle in `room`; of a store, its pointer and its current bundle alone."""
    try:
        return _copied(uri, room)
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise BundleError(
            f"The bundle at {uri} cannot be read ({reason}). Check the address, its credentials "
            "and that fsspec's driver for it is installed."
        ) from None


def _copied(uri: str, room: Path) -> Path:
    import fsspec  # type: ignore[import-untyped]

    system, root = fsspec.core.url_to_fs(uri)
    if system.exists(f"{root}/{CURRENT}"):
        system.get(f"{root}/{CURRENT}", str(room / CURRENT))
        inner = f"{BUNDLES}/{read_current(room).version}"
        system.get(f"{root}/{inner}/", str(room / inner), recursive=True)
        return room
    if not system.exists(f"{root}/{MANIFEST}"):
        raise FileNotFoundError(f"neither {CURRENT} nor {MANIFEST} is there")
    system.get(f"{root}/", str(room / "bundle"), recursive=True)
    return room / "bundle"
