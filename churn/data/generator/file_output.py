"""Writes generated tables to one file, all or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from churn.errors import InputError, error_reason

_Kind = Literal["parquet", "csv", "csv.gz"]
_KINDS: tuple[_Kind, ...] = ("parquet", "csv", "csv.gz")


def require_output(path: Path) -> _Kind:
    """What a file's name says it is to be.

    Raises:
        InputError: the name says nothing that is written here, or names a folder.
    """
    if path.is_dir():
        raise InputError(
            f"{path} is a folder. Name a file in it, such as {path}/customers.parquet."
        )
    for kind in _KINDS:
        if path.name.casefold().endswith(f".{kind}"):
            return kind
    raise InputError(
        f"What {path} is to be cannot be seen from its name. End it in .parquet, .csv or .csv.gz."
    )


def write_table(tables: Iterator[Any], path: Path) -> None:
    """Writes tables of one schema to a file, which appears, or is replaced, once it is whole.

    Raises:
        InputError: it cannot be written; what was there before stays.
    """
    kind = require_output(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".partial-", suffix=f".{kind}", dir=path.parent)
        os.close(handle)
        partial = Path(name)
        try:
            _write(tables, partial, kind)
            partial.chmod(0o644)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error_reason(error)
        raise InputError(
            f"{path} cannot be written: {reason}. Name a file in a folder you may write to, with room "
            "for it."
        ) from None


def _write(tables: Iterator[Any], path: Path, kind: _Kind) -> None:
    first = next(tables)
    with _writer(path, kind, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _writer(path: Path, kind: _Kind, schema: Any) -> Any:
    if kind == "parquet":
        return pyarrow.parquet.ParquetWriter(path, schema)
    place = pa.CompressedOutputStream(path, "gzip") if kind == "csv.gz" else path
    plain = pyarrow.csv.WriteOptions(quoting_style="needed")
    return pyarrow.csv.CSVWriter(place, schema, write_options=plain)
