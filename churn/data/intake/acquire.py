"""Acquiring a table: the shipped one, a file, or a URL; verified before it is parsed."""

from __future__ import annotations

from pathlib import Path

from churn.contract import DataContract
from churn.data.dataset import Dataset, Source
from churn.data.intake import checksum
from churn.data.intake.download import Progress, download, is_url, public
from churn.data.intake.local import existing_file, reason
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
    expected = None if sha256 is None else checksum.stated(sha256)
    path = _path(location, contract, root, expected, cache, on_progress)
    name = public(location) if is_url(location) else location
    existing_file(path, _shown_name(location, contract))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None
    # What is parsed is what was hashed: the file is read once.
    found = checksum.of_bytes(content)
    _verify(found, location, contract, expected)
    table, kind = read_raw(content, _shown_name(location, contract))
    source = Source(location=name, sha256=found, size=len(content), format=kind)
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
    expected = None if sha256 is None else checksum.stated(sha256)
    path = _path(location, contract, root, expected, cache, on_progress)
    existing_file(path, _shown_name(location, contract))
    try:
        found = checksum.of_file(path)
    except OSError as error:
        name = _shown_name(location, contract)
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None
    _verify(found, location, contract, expected)
    return found


def _path(
    location: str,
    contract: DataContract,
    root: Path,
    expected: str | None,
    cache: Path,
    on_progress: Progress | None,
) -> Path:
    """The local file that holds the source's bytes; a URL's is fetched first."""
    if location == BUNDLED:
        return root / contract.snapshot.path
    if not is_url(location):
        return Path(location).expanduser()
    if expected is None:
        raise InputError(
            f"{public(location)} needs a checksum, so that everybody trains on the same bytes. "
            "Add --set data.sha256=..., which `sha256sum FILE` prints."
        )
    return download(location, expected, cache, on_progress)


def _shown_name(location: str, contract: DataContract) -> str:
    """The source's name in messages."""
    if location == BUNDLED:
        return contract.snapshot.path
    return public(location) if is_url(location) else location


def _verify(found: str, location: str, contract: DataContract, expected: str | None) -> None:
    name = _shown_name(location, contract)
    if location == BUNDLED:
        checksum.require(
            found,
            contract.snapshot.sha256,
            name,
            f"Bring the file of contract '{contract.name}' back with git or "
            "tools/rebuild_snapshot.py.",
        )
    checksum.require(found, expected, name, "Take the right file, or correct data.sha256.")
