"""Kept inputs as parquet files by day, and their end after the time for which they may be kept."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from churn.contract import DataContract, NumberColumn
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.kept_inputs.pseudonym import pseudonym

if TYPE_CHECKING:
    from churn.batch.output_folder import OutputFolder

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})/[^/]+\.parquet")


@dataclass(frozen=True)
class KeptDays:
    """The files of some days.

    Attributes:
        names: of the files, in the order of the days.
        id: digest of their content.
        later: files of days that have not come yet: a clock was wrong.
    """

    names: tuple[str, ...]
    id: str
    later: int


def inputs_table(
    columns: Columns, customers: Sequence[str | None], contract: DataContract, key: bytes
) -> Any:
    """Scored rows as the contract writes them, ids replaced by pseudonyms; a pyarrow table."""
    found: dict[str, Any] = {
        contract.id.name: pa.array(
            [None if each is None else pseudonym(each, key) for each in customers], pa.string()
        )
    }
    for column in contract.features:
        values = columns[column.name]
        if isinstance(column, NumberColumn):
            found[column.name] = pa.array(values)
        else:
            words = pa.array(column.categories)
            places = pa.array(np.asarray(values, dtype=np.int8))
            found[column.name] = pa.DictionaryArray.from_arrays(places, words)
    return pa.table(found)


def file_name(day: date, name: str) -> str:
    """The file of a day's rows."""
    return f"{day.isoformat()}/{name}.parquet"


def keep(folder: OutputFolder, name: str, table: Any) -> None:
    """Commits a file of rows; the same name again replaces it."""
    content = io.BytesIO()
    parquet.write_table(table, content, compression="zstd")
    with folder.new_file(name) as path:
        path.write_bytes(content.getvalue())


def remove_before(folder: OutputFolder, oldest: date) -> int:
    """Deletes the files of all days before `oldest`; returns how many."""
    old = [name for day, name in _files(folder) if day < oldest]
    for name in old:
        folder.remove(name)
    return len(old)


def find_days(folder: OutputFolder, days: int, today: date) -> KeptDays:
    """The files of the last `days` whole days before `today`."""
    found = _files(folder)
    names = tuple(name for day, name in found if today - timedelta(days) <= day < today)
    digest = hashlib.sha256()
    for name in names:
        content = folder.read(name) or b""
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    later = sum(day > today for day, _ in found)
    return KeptDays(names, digest.hexdigest(), later)


def read_days(folder: OutputFolder, days: KeptDays) -> Iterator[Any]:
    """The rows, file by file, as pyarrow tables.

    Raises:
        InputError: a file cannot be read.
    """
    for name in days.names:
        try:
            yield parquet.read_table(pa.BufferReader(folder.read(name) or b""))
        except pa.ArrowException:
            raise InputError(
                f"{folder.shown}/{name} is no whole parquet file. Remove it, and check again."
            ) from None


def _files(folder: OutputFolder) -> list[tuple[date, str]]:
    found = []
    for name in folder.names():
        if match := _NAME.fullmatch(name):
            try:
                found.append((date.fromisoformat(match[1]), name))
            except ValueError:  # no day of ours
                continue
    return sorted(found)
