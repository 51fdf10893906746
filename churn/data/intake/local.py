"""Files on this machine: whether they can be read, or why not."""

from __future__ import annotations

import re
from pathlib import Path

from churn.contract.refusals import quote_text
from churn.data.intake.raw import LARGEST
from churn.errors import InputError

_MOST_PARTS = 10_000
# As Spark, Dask and pyarrow, DuckDB and Snowflake, and BigQuery name the parts of one table.
_PART = re.compile(r"part[-.].*|data_\d.*|\d{12}.*")
_LAKES = {"_delta_log": "a Delta table", "metadata": "an Iceberg table", ".hoodie": "a Hudi table"}


def table_files(path: Path, name: str) -> list[Path]:
    """The files that hold a table: the file itself, or the parts in a folder that Spark wrote.

    Args:
        path: Where it is.
        name: What the error calls it.

    Raises:
        InputError: there is no such file, or it cannot be read or is too large; or the folder
            holds something other than the parts of one table.
    """
    size = _size(path, name)
    if path.is_dir():
        files = _parts(path, name)
        size = sum(_size(each, name) for each in files)
    elif path.is_file():
        files = [path]
    else:
        raise InputError(f"{name} is not a regular file. Name a CSV or parquet file.")
    if size > LARGEST:
        raise InputError(f"{name} is larger than 2 GiB, and no table read here may be. Split it.")
    return files


def _size(path: Path, name: str) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{name} does not exist. Name an existing file with --set data.source=PATH."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None


def _parts(folder: Path, name: str) -> list[Path]:
    """The parts of a table in a folder, by their names; empty ones left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None
    names = {each.name for each in entries}
    for mark, lake in _LAKES.items():
        if mark in names:
            raise InputError(
                f"{name} is {lake}, whose files are not all of today's rows. Export it with the tool "
                "that wrote it, to parquet or CSV."
            )
    if "_temporary" in names:
        raise InputError(f"{name} is a folder that Spark has not finished. Write it again.")
    seen = [each for each in entries if not each.name.startswith(("_", "."))]
    if any(each.is_dir() and "=" in each.name for each in seen):
        raise InputError(
            f"{name} is partitioned by a column, into folders. Write it without partitions, or name "
            "one file."
        )
    strange = [each for each in seen if not (each.is_file() and _PART.fullmatch(each.name))]
    if strange == seen:
        raise InputError(f"{name} is a folder. Name a CSV or parquet file.")
    if strange:
        raise InputError(
            f"{name} is a folder, and {quote_text(strange[0].name)} in it is no part of a table like "
            f"{quote_text(next(e for e in seen if e not in strange).name)}. Name one file, or move "
            "away what is no part."
        )
    if len(seen) > _MOST_PARTS:
        raise InputError(
            f"{name} has {len(seen):,} parts, and at most {_MOST_PARTS:,} are read. Write fewer."
        )
    return [each for each in seen if each.stat().st_size] or seen[:1]


def reason(error: Exception) -> str:
    """Why the system refused, in a few words."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder must be"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or repr(error)
