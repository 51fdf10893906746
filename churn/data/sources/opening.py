"""From an address to a source."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from churn.contract import DataContract
from churn.data.intake.address import path_of, public, require_allowed
from churn.data.intake.local import table_files
from churn.data.sources.by_contract import ContractSource
from churn.data.sources.stored_files import FileSource, LocalFile
from churn.data.sources.table_source import TableSource

Opener = Callable[[str, DataContract | None], TableSource]
"""Makes a source of an address; the contract's `reading` says how a CSV file is written."""

_OPENERS: dict[str, Opener] = {}


def register(scheme: str, opener: Opener) -> None:
    """Makes an address like `generated:1000` known by what stands before its colon."""
    _OPENERS[scheme] = opener


def open_source(
    address: str, contract: DataContract | None = None, *, optional: Collection[str] = ()
) -> TableSource:
    """A table by its address; nothing is read yet.

    Args:
        address: A path, file://, s3://, a database's address with ?table= or ?query=, or another
            that docs/sources.md lists.
        contract: What the table is to follow; its columns come in the contract's words and order.
            None for the table as it is stored.
        optional: Columns of the contract that the table may lack, such as its target.

    Raises:
        InputError: the address names no table that can be read.
    """
    source = _stored(address, contract)
    return source if contract is None else ContractSource(source, contract, optional)


def _stored(address: str, contract: DataContract | None) -> TableSource:
    scheme = address.partition(":")[0].casefold() if ":" in address else ""
    opener = _OPENERS.get(scheme) or _OPENERS.get(scheme.partition("+")[0])
    if opener is not None:
        return opener(address, contract)
    path = path_of(address) if "://" in address else Path(address).expanduser()
    if path is None:
        require_allowed(address)
        path = Path(address)
    separator = "," if contract is None else contract.reading.separator
    return local_source(path, public(address) if "://" in address else address, separator)


def local_source(path: Path, shown: str, separator: str = ",") -> FileSource:
    """A file or a folder of this machine."""
    paths = table_files(path, shown)
    names = [shown] if path.is_file() else [f"{shown}/{each.relative_to(path)}" for each in paths]
    return FileSource(
        [LocalFile(p, n) for p, n in zip(paths, names, strict=True)], shown, separator
    )
