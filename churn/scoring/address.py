"""Where a store or a bundle lies: a folder, or an address beyond this machine that fsspec reads.

Credentials and endpoint of an `s3://` address come from the environment, by the names that AWS
(`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...) and fsspec (`FSSPEC_S3_...`) gave them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from churn.errors import BundleError, one_line

Address = Path | str
"""A folder of this machine; or, as text, a URI without a slash at its end."""

_LONGEST = 300
_ONE_SLASH = re.compile(r"([a-z][a-z0-9+.-]+):/(?!/)(.*)", re.DOTALL)


def address(where: str | os.PathLike[str]) -> Address:
    """Returns the folder of a path or a file:// URI, and any other URI as text.

    A URI that became a path on its way (`Path("s3://bucket/store")` keeps one slash) is the URI
    again: as a path it would name a folder called `s3:`.
    """
    text = os.fspath(where)
    if became_a_path := _ONE_SLASH.match(text):
        scheme, rest = became_a_path.groups()
        text = f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"
    if "://" not in text:
        return Path(text)
    if text.startswith(("file://", "local://")):
        return Path(unquote(urlsplit(text).path))
    return text.rstrip("/")


def file_system(uri: str) -> tuple[Any, str]:
    """The file system of a URI and the place there; it remembers nothing of earlier looks.

    Raises:
        Exception: fsspec has no driver for it, or the driver its own reasons.
    """
    import fsspec  # type: ignore[import-untyped]

    system, root = fsspec.core.url_to_fs(uri)
    system.invalidate_cache()
    return system, root


def read_file(uri: str, limit: int) -> bytes | None:
    """A remote file of at most `limit` bytes; None where there is none.

    Raises:
        BundleError: the place cannot be read, or it is larger.
    """
    try:
        system, root = file_system(uri)
        content: bytes = _first_bytes(system, root, limit + 1)
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unreadable(uri, error) from None
    if len(content) > limit:
        raise unreadable(uri, OSError(f"it is larger than {limit:,} bytes"))
    return content


def _first_bytes(system: Any, root: str, count: int) -> Any:
    try:
        return system.cat_file(root, end=count)
    except OSError:
        # S3 answers that no part of an empty file can be had.
        if system.size(root) == 0:
            return b""
        raise


def unreadable(uri: str, error: Exception) -> BundleError:
    """The sentence for a place that cannot be read."""
    return BundleError(
        f"{uri} cannot be read ({reason(error)}). Check the address, its credentials and that "
        "fsspec's driver for it is installed."
    )


def unwritable(uri: str, error: Exception) -> BundleError:
    """The sentence for a place that cannot be written to."""
    return BundleError(
        f"{uri} cannot be written to ({reason(error)}). Check the address and that its credentials "
        "may write there; what was in production stays."
    )


def reason(error: Exception) -> str:
    """An error of another's code in one line: its type, and what it says."""
    return one_line(f"{type(error).__name__}: {error}")[:_LONGEST].rstrip(": .")
