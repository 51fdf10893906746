"""Files on this machine: whether they can be read, or why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from churn.contract.refusals import quote_text
from churn.errors import InputError

_MOST_PARTS = 10_000
# As Spark, Dask and pyarrow, DuckDB and Snowflake, and BigQuery name the parts of one table.
_PART = re.compile(r"part[-.].*|data_\d.*|\d{12}.*")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_LAKES = {"metadata": "an Iceberg table", ".hoodie": "a Hudi table"}


def table_files(path: Path, name: str, largest: int | None = None, setting: str = "") -> list[Path]:
    """The files that hold a table: the file itself, or the parts in a folder that Spark wrote.

    Args:
        path: Where it is.
        name: What the error calls it.
        largest: How many bytes it may have; None for any number.
        setting: What the caller's setting of the place is called.

    Raises:
        InputError: there is no such file, or it cannot be read or is too large; or the folder
            holds something other than the parts of one table.
    """
    size = _size(path, name, setting)
    if path.is_dir():
        try:
            files = [path / each for each in table_parts(dict(_entries(path)), name)]
        except OSError as error:
            raise InputError(
                f"{name} cannot be read: {reason(error)}. Name another file."
            ) from None
        size = sum(_size(each, name) for each in files)
    elif path.is_file():
        files = [path]
    else:
        raise InputError(f"{name} is not a regular file. Name a CSV or parquet file.")
    if largest is not None and size > largest:
        raise InputError(f"{name} is larger than 2 GiB, and no table read here may be. Split it.")
    return files


def _entries(folder: Path, below: str = "") -> Iterator[tuple[str, int | None]]:
    """What lies in a folder and the folders of its partitions: the size of a file, or None."""
    for each in sorted(folder.iterdir()):
        if each.is_dir() and "=" in each.name:
            yield from _entries(each, f"{below}{each.name}/")
        else:
            yield f"{below}{each.name}", each.stat().st_size if each.is_file() else None


def _size(path: Path, name: str, setting: str = "") -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        way_out = f" with --set {setting}=PATH" if setting else ""
        raise InputError(f"{name} does not exist. Name an existing file{way_out}.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None


def table_parts(entries: Mapping[str, int | None], name: str) -> list[str]:
    """The parts of a table in a folder, by their names; empty ones left out.

    Args:
        entries: What lies there: its path within the folder, and a file's size or None.
        name: What the error calls the folder.

    Raises:
        InputError: it holds something other than the parts of one table.
    """
    tops = {each.partition("/")[0] for each in entries}
    for mark, lake in _LAKES.items():
        if mark in tops:
            raise InputError(
                f"{name} is {lake}, whose files are not all of today's rows. Export it with the tool "
                "that wrote it, to parquet or CSV."
            )
    if "_temporary" in tops:
        raise InputError(f"{name} is a folder that Spark has not finished. Write it again.")
    seen = [each for each in sorted(entries) if not _beside(each)]
    strange = [each for each in seen if entries[each] is None or not _is_part(each)]
    if strange == seen:
        raise InputError(
            f"{name} is a folder without parts of a table, such as part-0.csv or customers.parquet. "
            "Name a CSV or parquet file."
        )
    if strange:
        raise InputError(
            f"{name} is a folder, and {quote_text(strange[0])} in it is no part of a table like "
            f"{quote_text(next(e for e in seen if e not in strange))}. Name one file, or move "
            "away what is no part."
        )
    if len(seen) > _MOST_PARTS:
        raise InputError(
            f"{name} has {len(seen):,} parts, and at most {_MOST_PARTS:,} are read. Write fewer."
        )
    return [each for each in seen if entries[each]] or seen[:1]


def partition_of(part: str) -> dict[str, str | None]:
    """The columns that the folders of a part name, as in `country=DE/part-0.parquet`."""
    pairs = (folder.partition("=") for folder in part.split("/")[:-1])
    return {
        unquote(name): None if value == _NO_VALUE else unquote(value) for name, _, value in pairs
    }


def _beside(entry: str) -> bool:
    """Whether a file lies beside a table's parts: hidden, a marker, or a document about it."""
    own = entry.rpartition("/")[2]
    return own.startswith(("_", ".")) or own.endswith(".json")


def _is_part(entry: str) -> bool:
    own = entry.rpartition("/")[2]
    return _PART.fullmatch(own) is not None or own.endswith(".parquet")


def reason(error: Exception) -> str:
    """Why the system refused, in a few words."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder must be"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or repr(error)
