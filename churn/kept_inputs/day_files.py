"""Kept inputs as parquet files by day, and their end after the time for which they may be kept."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from churn.contract import DataContract, NumberColumn
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.kept_inputs.pseudonym import pseudonym

if TYPE_CHECKING:
    from churn.batch.output_folder import OutputFolder

InputSource = Literal["service", "stream", "batch"]
LINES = ".jsonl"
"""Ending of what services write and `compact` reads."""

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})/[^/]+\.parquet")
_LINES_NAME = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}})/[^/]+\{LINES}")


@dataclass(frozen=True)
class KeptDays:
    """The files of some days.

    Attributes:
        names: of the files, in the order of the days.
        id: digest of their content.
        later: files of days that have not come yet: a clock was wrong.
        waiting: files of JSON lines of these days, which are no part of `names` yet.
    """

    names: tuple[str, ...]
    id: str
    later: int
    waiting: int = 0


def inputs_table(
    columns: Columns,
    customers: Sequence[str | None],
    contract: DataContract,
    key: bytes | None,
) -> Any:
    """Scored rows as the contract writes them, ids replaced by pseudonyms; a pyarrow table.

    Without a key the ids are pseudonyms already.
    """
    if key is not None:
        customers = [None if each is None else pseudonym(each, key) for each in customers]
    found: dict[str, Any] = {contract.id.name: pa.array(customers, pa.string())}
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
    """Deletes the files of all days before `oldest`, JSON lines among them; returns how many."""
    old = [name for day, name in _files(folder) if day < oldest]
    old += lines_before(folder, oldest)
    for name in old:
        folder.remove(name)
    return len(old)


def find_days(
    folder: OutputFolder, days: int, today: date, source: InputSource | None = None
) -> KeptDays:
    """The files of the last `days` whole days before `today`, of one source or of all."""

    def is_of_it(name: str) -> bool:
        return source is None or source_of(name) == source

    first = today - timedelta(days)
    names = tuple(filter(is_of_it, names_between(folder, first, today)))
    digest = hashlib.sha256()
    for name in names:
        content = folder.read(name) or b""
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    later = sum(day > today and is_of_it(name) for day, name in _files(folder))
    lines = _files(folder, _LINES_NAME)
    waiting = sum(first <= day < today and is_of_it(name) for day, name in lines)
    return KeptDays(names, digest.hexdigest(), later, waiting)


def names_between(folder: OutputFolder, first: date, until: date) -> tuple[str, ...]:
    """The files from a day on and before another, in the order of the days."""
    return tuple(name for day, name in _files(folder) if first <= day < until)


def read_files(folder: OutputFolder, names: Sequence[str]) -> Iterator[Any]:
    """The rows, file by file, as pyarrow tables.

    Raises:
        InputError: a file cannot be read.
    """
    for name in names:
        try:
            yield parquet.read_table(pa.BufferReader(folder.read(name) or b""))
        except pa.ArrowException:
            raise InputError(
                f"{folder.shown}/{name} is no whole parquet file. Remove it, and check again."
            ) from None


def lines_before(folder: OutputFolder, until: date) -> tuple[str, ...]:
    """The files of JSON lines of all days before one, in the order of the days."""
    return tuple(name for day, name in _files(folder, _LINES_NAME) if day < until)


def source_of(name: str) -> InputSource:
    """What wrote a file: services and streams say so in its name, all others are batches."""
    first = name.rpartition("/")[2].partition("-")[0]
    return "service" if first == "service" else "stream" if first == "stream" else "batch"


def _files(folder: OutputFolder, pattern: re.Pattern[str] = _NAME) -> list[tuple[date, str]]:
    found = []
    for name in folder.names():
        if match := pattern.fullmatch(name):
            try:
                found.append((date.fromisoformat(match[1]), name))
            except ValueError:  # no day of ours
                continue
    return sorted(found)
