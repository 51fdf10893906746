"""Acquiring a table: the shipped one, a file, or a URL; verified before it is parsed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from churn.contract import DataContract
from churn.contract.expectations import AcceptedSnapshot
from churn.data.dataset import Dataset, Source
from churn.data.intake import checksum
from churn.data.intake.address import public, require_allowed
from churn.data.intake.parse import parse
from churn.data.intake.raw import LARGEST
from churn.data.sources import TableSource, open_file, open_source, whole_table
from churn.errors import InputError

if TYPE_CHECKING:
    from churn.data.intake.download import Progress

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
        location: `bundled` for the contract's own snapshot, an https URL, or any address that
            `churn.data.sources` reads.
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
    source = _source(location, contract, root, sha256, cache, on_progress)
    # What is typed is what was hashed: a source that changes between the two is refused.
    table = whole_table(source, largest=LARGEST)
    _verify(source, location, contract, sha256)
    stored = location if location == BUNDLED else source.shown
    origin = Source(location=stored, sha256=source.digest(), size=source.size, format=source.format)
    dataset = Dataset(frame=parse(table, contract), contract=contract, source=origin)
    return dataset if source.ordered else _ordered(dataset)


def _ordered(dataset: Dataset) -> Dataset:
    """A table whose source has no order of its own, by id and date: what is trained depends on it."""
    contract = dataset.contract
    keys = [contract.id.name, *([contract.date.name] if contract.date else [])]
    frame = dataset.frame.sort_values(keys, kind="stable")
    places = frame.index.to_numpy(dtype=np.int64)
    return replace(dataset, frame=frame.reset_index(drop=True), places=places)


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
    source = _source(location, contract, root, sha256, cache, on_progress)
    _verify(source, location, contract, sha256)
    return source.digest()


def _source(
    location: str,
    contract: DataContract,
    root: Path,
    sha256: str | None,
    cache: Path,
    on_progress: Progress | None,
) -> TableSource:
    """The source that a location names, a URL's bytes fetched first."""
    expected = None if sha256 is None else checksum.stated(sha256)
    if location == BUNDLED:
        own = _own_snapshot(contract).path
        return open_file(root / own, own, contract, largest=LARGEST)
    if not location.casefold().startswith(("https://", "http://")):
        return open_source(location, contract, largest=LARGEST, setting="data.source")
    require_allowed(location)
    if expected is None:
        raise InputError(
            f"{public(location)} needs a checksum, so that everybody trains on the same bytes. "
            "Add --set data.sha256=..., which `sha256sum FILE` prints."
        )
    from churn.data.intake.download import download  # its client loads much that no file needs

    path = download(location, expected, cache, on_progress)
    return open_file(path, public(location), contract, largest=LARGEST)


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


def _verify(source: TableSource, location: str, contract: DataContract, sha256: str | None) -> None:
    if location == BUNDLED:
        checksum.require_snapshot(source.digest(), _own_snapshot(contract), contract)
    if sha256 is not None:
        way_out = "Take the right file, or correct data.sha256."
        checksum.require(source.digest(), checksum.stated(sha256), source.shown, way_out)
