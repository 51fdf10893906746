"""What a sink is, and which one an address names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from churn.data.intake.address import is_bucket, is_sql, path_of, public
from churn.data.sources.file_sink import BucketFileSink, FileSink, FolderSink, file_kind
from churn.errors import InputError


class TableSink(Protocol):
    """A place that tables are written to."""

    @property
    def shown(self) -> str:
        """The address as it may be shown and stored: without user, password and options."""

    def require_open(self) -> None:
        """Checks, before a long run, that the place can be written to, as far as that shows in advance.

        Raises:
            InputError: it cannot.
        """

    def write(self, tables: Iterable[Any]) -> int:
        """Writes tables of one schema, one at least, all or nothing, and returns their rows.

        A file appears, or is replaced, once it is whole; a folder gets one part more; a database
        takes the rows in one transaction.

        Raises:
            InputError: the place cannot be written to; what was there before stays.
        """


def open_sink(address: str, *, key: Sequence[str] = ()) -> TableSink:
    """A place to write tables to, by its address; nothing is written yet.

    Args:
        address: A path or an address in a bucket that ends in .parquet, .csv or .csv.gz; a folder, with
            a slash at its end; a database's address with ?table=, which is made if it is not there.
        key: Columns that tell a database's rows apart: a row with the same ones is replaced. None, and
            rows are added.

    Raises:
        InputError: nothing can be written to such an address.
    """
    scheme = address.partition("://")[0].casefold() if "://" in address else ""
    if is_sql(scheme):
        from churn.data.sources.sql_address import sql_address
        from churn.data.sources.sql_sink import SqlSink

        return SqlSink(sql_address(address), key)
    shown = public(address) if scheme else address
    if key:
        raise InputError(f"{shown} is no database, so its rows have no key. Leave the key out.")
    if is_bucket(scheme):
        return BucketFileSink(address, shown, file_kind(shown))
    path = path_of(address) if scheme else Path(address).expanduser()
    if path is None:
        raise InputError(
            f"{shown} cannot be written to. Name a file, a bucket or a database's table."
        )
    if address.endswith("/"):
        return FolderSink(path, shown)
    if path.is_dir():
        raise InputError(
            f"{shown} is a folder. Name a file in it, such as {shown}/customers.parquet."
        )
    return FileSink(path, shown, file_kind(shown))
