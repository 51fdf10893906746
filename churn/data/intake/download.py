"""A table behind a URL: downloaded once, verified, and kept under its checksum."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

import httpx

from churn.data.intake import checksum
from churn.data.intake.address import LOOPBACK, is_allowed, public, require_allowed
from churn.data.intake.local import reason
from churn.data.intake.raw import LARGEST
from churn.errors import InputError

Progress = Callable[[int, int | None], None]

_PIECE = 1 << 18
_REDIRECTS = 5
# The bytes as they are: what is hashed must be the file, not a server's way of sending it.
_HEADERS = {"Accept-Encoding": "identity"}
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def download(
    url: str,
    expected: str,
    cache: Path,
    on_progress: Progress | None = None,
    largest: int = LARGEST,
) -> Path:
    """Fetches what a URL holds, unless the cache has it.

    Args:
        url: https, or http to this machine itself.
        expected: The sha256 that the bytes must have.
        cache: The folder to keep it in, under its sha256.
        on_progress: Called with the bytes so far and, where the server says, the bytes in all.
        largest: How many bytes it may have.

    Returns:
        The file in the cache. An interrupted or refused download leaves nothing there.

    Raises:
        InputError: the address is not allowed, cannot be reached or answers something else, the
            bytes are too many or not the expected ones, or the cache cannot be used.
    """
    name = public(url)
    require_allowed(url)
    kept = cache / expected
    with _usable(cache):
        if kept.is_file() and checksum.of_files([kept]) == expected:
            return kept
    with _partial(cache) as (file, path):
        found = _fetch(url, name, file, cache, on_progress, largest)
        checksum.require(
            found, expected, name, "Check the address and data.sha256; nothing was kept."
        )
        with _usable(cache):
            file.flush()
            os.fsync(file.fileno())
            path.replace(kept)
    return kept


def _fetch(
    url: str, name: str, file: BinaryIO, cache: Path, on_progress: Progress | None, largest: int
) -> str:
    """Writes the bytes to a file and returns their sha256."""
    digest = hashlib.sha256()
    done = 0
    try:
        with _open(url, name) as response:
            stated = response.headers.get("content-length", "")
            total = int(stated) if stated.isdecimal() else None
            for piece in response.iter_raw(_PIECE):
                done += len(piece)
                if max(done, total or 0) > largest:
                    raise InputError(
                        f"{name} holds more than {largest:,} bytes. Take a smaller table."
                    )
                digest.update(piece)
                with _usable(cache):
                    file.write(piece)
                if on_progress is not None:
                    on_progress(done, total)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise InputError(
            f"{name} cannot be fetched: {type(error).__name__}. Check the address and the "
            "connection, or download the file and name its path."
        ) from None
    return digest.hexdigest()


@contextmanager
def _open(url: str, name: str) -> Iterator[httpx.Response]:
    """The open response at the end of the redirects, each of them to an allowed address."""
    for _ in range(_REDIRECTS + 1):
        # A proxy is for elsewhere, never for this machine itself.
        elsewhere = httpx.URL(url).host not in LOOPBACK
        with (
            httpx.Client(timeout=_TIMEOUT, trust_env=elsewhere) as client,
            client.stream("GET", url, headers=_HEADERS) as response,
        ):
            if response.has_redirect_location:
                url = urljoin(url, response.headers["location"])
                if not is_allowed(url):
                    raise InputError(
                        f"{name} redirects to an address that is not https, and no other is "
                        "fetched. Name the final address."
                    )
                continue
            if response.status_code != httpx.codes.OK:
                status = f"{response.status_code} {response.reason_phrase}"
                raise InputError(f"{name} answers {status}. Check the address.")
            yield response
            return
    raise InputError(f"{name} redirects more than {_REDIRECTS} times. Name the final address.")


@contextmanager
def _partial(cache: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside the target that is gone afterwards, unless it was moved into place."""
    with _usable(cache):
        cache.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed and removed below
            dir=cache, prefix=".partial-", delete=False
        )
    path = Path(file.name)
    try:
        yield file, path  # type: ignore[misc]
    finally:
        file.close()
        path.unlink(missing_ok=True)


@contextmanager
def _usable(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"The download folder {cache} cannot be used: {reason(error)}. Make it a folder you "
            "may write to, or choose another with --set output.folder=PATH."
        ) from None
