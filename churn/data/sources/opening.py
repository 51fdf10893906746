"""From an address to a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from churn.contract import DataContract
from churn.data.intake.address import is_bucket, is_sql, path_of, public, require_allowed
from churn.data.intake.local import partition_of, table_files, table_parts
from churn.data.sources.bucket_files import BucketFile, bucket_entries
from churn.data.sources.by_contract import ContractSource
from churn.data.sources.delta_source import LOG, DeltaSource
from churn.data.sources.stored_files import FileSource, LocalFile
from churn.data.sources.table_source import TableSource
from churn.errors import InputError

Opener = Callable[[str, DataContract | None], TableSource]
"""Makes a source of an address; the contract's `reading` says how a CSV file is written."""

_OPENERS: dict[str, Opener] = {}


def register(scheme: str, opener: Opener) -> None:
    """Makes an address like `generated:1000` known by what stands before its colon."""
    _OPENERS[scheme] = opener


def open_source(
    address: str,
    contract: DataContract | None = None,
    *,
    optional: Collection[str] = (),
    largest: int | None = None,
    coded: bool = False,
    setting: str = "",
) -> TableSource:
    """A table by its address; nothing is read yet.

    Args:
        address: A path, file://, s3://, a database's address with ?table= or ?query=, or another
            that docs/sources.md lists.
        contract: What the table is to follow; its columns come in the contract's words and order.
            None for the table as it is stored.
        optional: Columns of the contract that the table may lack, such as its target.
        largest: How many bytes files may have; None for any number.
        coded: Whether parquet's texts of the contract's categories come as places in a dictionary,
            for a third of the time.
        setting: What the caller's setting of the address is called, for errors.

    Raises:
        InputError: the address names no table that can be read.
    """
    scheme = address.partition(":")[0].casefold() if ":" in address else ""
    if scheme in _OPENERS:
        return _by_contract(_OPENERS[scheme](address, contract), contract, optional)
    if "://" not in address:
        return open_file(
            Path(address).expanduser(), address, contract, optional=optional, largest=largest,
            coded=coded, setting=setting,
        )  # fmt: skip
    if is_sql(scheme):
        from churn.data.sources.sql_address import sql_address
        from churn.data.sources.sql_source import SqlSource

        keys = () if contract is None else _keys(contract)
        return _by_contract(SqlSource(sql_address(address), keys), contract, optional)
    shown = public(address)
    path = path_of(address)
    if path is not None:
        return open_file(
            path, shown, contract, optional=optional, largest=largest, coded=coded, setting=setting
        )
    if not is_bucket(scheme):
        require_allowed(address)
        raise InputError(f"{shown} is not read from where it is. Download it, and name the file.")
    return _by_contract(_bucket_source(address, shown, contract, coded), contract, optional)


def _bucket_source(
    address: str, shown: str, contract: DataContract | None, coded: bool
) -> TableSource:
    system, place, entries = bucket_entries(address, shown)
    if any(each.startswith(f"{LOG}/") for each in entries):
        return DeltaSource(address, shown)
    parts = table_parts(entries, shown) if entries else []
    files = [
        BucketFile(system, f"{place.rstrip('/')}/{each}", f"{shown}/{each}", partition_of(each))
        for each in parts
    ] or [BucketFile(system, place, shown)]
    return FileSource(files, shown, _separator(contract), _coded(contract) if coded else ())


def open_file(
    path: Path,
    shown: str,
    contract: DataContract | None = None,
    *,
    optional: Collection[str] = (),
    largest: int | None = None,
    coded: bool = False,
    setting: str = "",
) -> TableSource:
    """A table in a file or a folder of this machine; the arguments are those of `open_source`.

    `shown` is what errors call it.
    """
    if os.path.isdir(path / LOG):  # noqa: PTH112 - is_dir() raises where a name is impossible
        return _by_contract(DeltaSource(str(path), shown), contract, optional)
    files = [LocalFile(path, shown)]
    paths = table_files(path, shown, largest, setting)
    if path.is_dir():
        parts = [each.relative_to(path).as_posix() for each in paths]
        files = [LocalFile(path / each, f"{shown}/{each}", partition_of(each)) for each in parts]
    source = FileSource(files, shown, _separator(contract), _coded(contract) if coded else ())
    return _by_contract(source, contract, optional)


def _separator(contract: DataContract | None) -> str:
    return "," if contract is None else contract.reading.separator


def _by_contract(
    source: TableSource, contract: DataContract | None, optional: Collection[str]
) -> TableSource:
    return source if contract is None else ContractSource(source, contract, optional)


def _keys(contract: DataContract) -> list[str]:
    """The names that a table may have for the columns which tell its rows apart."""
    own = [contract.id.name, *([contract.date.name] if contract.date else [])]
    return _own_names(contract, own)


def _coded(contract: DataContract | None) -> list[str]:
    """The names that a table may have for the columns of categories."""
    return _own_names(contract, [column.name for column in contract.coded]) if contract else []


def _own_names(contract: DataContract, ours: list[str]) -> list[str]:
    """A table's names for columns of the contract: the same, or those that it renames."""
    theirs = contract.reading.rename.items()
    return [name for key in ours for name in (key, *(t for t, own in theirs if own == key))]
