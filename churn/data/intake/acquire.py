"""Acquiring a table: the shipped one, a file, or a URL; verified before it is parsed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn.contract import DataContract
from churn.contract.expectations import AcceptedSnapshot
from churn.data.dataset import Dataset, Source
from churn.data.intake import checksum
from churn.data.intake.address import is_url, path_of, public, require_allowed
from churn.data.intake.download import Progress, download
from churn.data.intake.local import reason, table_files
from churn.data.intake.parse import parse
from churn.data.intake.raw import read_parts
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
            folder, or a file:// URL) to CSV, compressed or not, parquet or a folder of their
            parts, or an https URL.
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
    paths, name = _find(location, contract, root, sha256, cache, on_progress)
    with _readable(name):
        contents = [path.read_bytes() for path in paths]
    # What is parsed is what was hashed: each file is read once.
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    found = digest.hexdigest()
    _verify(found, location, contract, sha256)
    names = [name] if len(paths) == 1 else [f"{name}/{path.name}" for path in paths]
    table, kind = read_parts(contents, names)
    stored = location if location == BUNDLED else name
    size = sum(map(len, contents))
    source = Source(location=stored, sha256=found, size=size, format=kind)
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
    paths, name = _find(location, contract, root, sha256, cache, on_progress)
    with _readable(name):
        found = checksum.of_files(paths)
    _verify(found, location, contract, sha256)
    return found


def _find(
    location: str,
    contract: DataContract,
    root: Path,
    sha256: str | None,
    cache: Path,
    on_progress: Progress | None,
) -> tuple[list[Path], str]:
    """The local files that hold the source's bytes, a URL's fetched first; and its shown name."""
    expected = None if sha256 is None else checksum.stated(sha256)
    name = _shown_name(location, contract)
    if location == BUNDLED:
        path = root / _own_snapshot(contract).path
    elif not is_url(location):
        path = Path(location).expanduser()
    elif (local := path_of(location)) is not None:
        path = local
    else:
        require_allowed(location)
        if expected is None:
            raise InputError(
                f"{name} needs a checksum, so that everybody trains on the same bytes. "
                "Add --set data.sha256=..., which `sha256sum FILE` prints."
            )
        path = download(location, expected, cache, on_progress)
    return table_files(path, name), name


def _own_snapshot(contract: DataContract) -> AcceptedSnapshot:
    """The table that `bundled` stands for.

    Raises:
        InputError: the contract names none.
    """
    if contract.snapshot is None:
        raise InputError(
            f"Contract '{contract.name}' names no snapshot, so there is no bundled table. Name yours "
            "with --set data.source=PATH."
        )
    return contract.snapshot


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None


def _shown_name(location: str, contract: DataContract) -> str:
    """The source's name in messages."""
    if location == BUNDLED:
        return _own_snapshot(contract).path
    return public(location) if is_url(location) else location


def _verify(found: str, location: str, contract: DataContract, sha256: str | None) -> None:
    if location == BUNDLED:
        checksum.require_snapshot(found, _own_snapshot(contract), contract)
    if sha256 is not None:
        expected, name = checksum.stated(sha256), _shown_name(location, contract)
        checksum.require(found, expected, name, "Take the right file, or correct data.sha256.")
