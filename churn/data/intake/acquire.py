"""Acquiring a table: the shipped one, a file, or a URL; verified before it is parsed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn.contract import DataContract
from churn.data.dataset import Dataset, Source
from churn.data.intake import checksum
from churn.data.intake.download import Progress, download, is_url, public
from churn.data.intake.local import reason, require_file
from churn.data.intake.parse import parse
from churn.data.intake.raw import read_raw
from churn.errors import InputError

BUNDLED = "bundled"


def acquire(
    location: str,
    contract: DataContract,
    *,
    root: Path,
    sha256: str | None = None,
    cache: Path,
    on_progress: Progress | None = None,
) -> Dataset:
    """Reads a customer table.

    Args:
        location: `bundled` for the contract's own snapshot, a path (relative to the current
            folder) to CSV, gzipped CSV or parquet, or an https URL.
        contract: What the table must follow.
        root: The folder that the contract's paths are relative to.
        sha256: What the source's bytes must hash to; required for a URL.
        cache: The folder that downloads are kept in.
        on_progress: Called with the bytes downloaded so far and, if known, in all.

    Raises:
        InputError: the source cannot be had, is not the expected one, or is no table that the
            contract can type.

    Examples:
        >>> from churn.contract import load_contract
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> customers = acquire("bundled", contract, root=Path(), cache=Path(".churn"))
        >>> customers.rows, round(customers.target_rate, 3)
        (7043, 0.265)
        >>> customers.source.sha256[:12]
        '6cfdc80ae458'
    """
    path, name = _find(location, contract, root, sha256, cache, on_progress)
    with _readable(name):
        content = path.read_bytes()
    # What is parsed is what was hashed: the file is read once.
    found = hashlib.sha256(content).hexdigest()
    _verify(found, location, contract, sha256)
    table, kind = read_raw(content, name)
    stored = location if location == BUNDLED else name
    source = Source(location=stored, sha256=found, size=len(content), format=kind)
    return Dataset(frame=parse(table, contract), contract=contract, source=source)


def fingerprint(
    location: str,
    contract: DataContract,
    *,
    root: Path,
    sha256: str | None = None,
    cache: Path,
    on_progress: Progress | None = None,
) -> str:
    """The sha256 of a source's bytes, without parsing them; a URL is downloaded into the cache.

    The arguments are those of `acquire`.

    Raises:
        InputError: the source cannot be had, or is not the expected one.
    """
    path, name = _find(location, contract, root, sha256, cache, on_progress)
    with _readable(name):
        found = checksum.of_file(path)
    _verify(found, location, contract, sha256)
    return found


def _find(
    location: str,
    contract: DataContract,
    root: Path,
    sha256: str | None,
    cache: Path,
    on_progress: Progress | None,
) -> tuple[Path, str]:
    """The local file that holds the source's bytes, a URL's fetched first; and its shown name."""
    expected = None if sha256 is None else checksum.stated(sha256)
    name = _shown_name(location, contract)
    if location == BUNDLED:
        path = root / contract.snapshot.path
    elif not is_url(location):
        path = Path(location).expanduser()
    elif expected is None:
        raise InputError(
            f"{name} needs a checksum, so that everybody trains on the same bytes. "
            "Add --set data.sha256=..., which `sha256sum FILE` prints."
        )
    else:
        path = download(location, expected, cache, on_progress)
    require_file(path, name)
    return path, name


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None


def _shown_name(location: str, contract: DataContract) -> str:
    """The source's name in messages."""
    if location == BUNDLED:
        return contract.snapshot.path
    return public(location) if is_url(location) else location


def _verify(found: str, location: str, contract: DataContract, sha256: str | None) -> None:
    if location == BUNDLED:
        checksum.require_snapshot(found, contract)
    if sha256 is not None:
        expected, name = checksum.stated(sha256), _shown_name(location, contract)
        checksum.require(found, expected, name, "Take the right file, or correct data.sha256.")
