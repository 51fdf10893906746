"""Tables into files, on this machine and in buckets: each is whole or absent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from churn.data.intake.local import reason
from churn.durable import replacing
from churn.errors import InputError, error_reason
from churn.scratch import scratch_folder
from churn.writable import require_writable

FileKind = Literal["parquet", "csv", "csv.gz"]
_REMEDY = "make it writable, or name another place"
_KINDS: tuple[FileKind, ...] = ("parquet", "csv", "csv.gz")


def file_kind(shown: str) -> FileKind:
    """What a file's name says it is to be.

    Raises:
        InputError: the name says nothing that is written here.
    """
    for kind in _KINDS:
        if shown.casefold().endswith(f".{kind}"):
            return kind
    raise InputError(
        f"What {shown} is to be cannot be seen from its name. End it in .parquet, .csv or .csv.gz, or a "
        "folder's in a slash."
    )


class FileSink:
    """A file of this machine, which every writing replaces."""

    def __init__(self, path: Path, shown: str, kind: FileKind) -> None:
        self.shown = shown
        self._path, self._kind = path, kind

    def require_open(self) -> None:
        """Checks that its folder takes a file."""
        require_writable(self._path.absolute().parent, _REMEDY)

    def write(self, tables: Iterable[Any]) -> int:
        """Writes the file beside its place and moves it there in one step."""
        with _writable(self.shown):
            return _write_beside(self._path, tables, self._kind)


class FolderSink:
    """A folder of parts, to which every writing adds one."""

    def __init__(self, path: Path, shown: str) -> None:
        self.shown = shown
        self._path = path

    def require_open(self) -> None:
        """Checks that the folder takes a part."""
        require_writable(self._path.absolute(), _REMEDY)

    def write(self, tables: Iterable[Any]) -> int:
        """Writes the next part of parquet."""
        with _writable(self.shown):
            self._path.mkdir(parents=True, exist_ok=True)
            # Spark's own parts have more behind the number.
            found = (re.match(r"part-(\d+)", each.name) for each in self._path.glob("*.parquet"))
            taken = [int(each[1]) for each in found if each]
            part = self._path / f"part-{max(taken, default=-1) + 1:05d}.parquet"
            return _write_beside(part, tables, "parquet")


class BucketFileSink:
    """A file in a bucket, which appears with the end of its upload."""

    def __init__(self, address: str, shown: str, kind: FileKind) -> None:
        self.shown = shown
        self._address, self._kind = address, kind

    def require_open(self) -> None:
        """Nothing shows in advance: who may list a bucket need not be allowed to write to it."""

    def write(self, tables: Iterable[Any]) -> int:
        """Writes the file on this machine and uploads it."""
        with scratch_folder("upload") as folder, _writable(self.shown):
            local = folder / "table"
            rows = _write(local, tables, self._kind)
            self._upload(local)
            return rows

    def _upload(self, local: Path) -> None:
        try:
            import fsspec  # type: ignore[import-untyped]

            system, place = fsspec.core.url_to_fs(self._address)
            system.put_file(str(local), place)
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise InputError(
                f"{self.shown} cannot be written to: {error_reason(error, longest=300)}. Check the "
                "address, and that the keys in the environment may write there."
            ) from None


def _write_beside(path: Path, tables: Iterable[Any], kind: FileKind) -> int:
    with replacing(path) as unfinished:
        return _write(unfinished, tables, kind)


def _write(path: Path, tables: Iterable[Any], kind: FileKind) -> int:
    rest = iter(tables)
    first = next(rest)
    rows = 0
    with path.open("wb") as file, _writer(file, kind, first.schema) as writer:
        for table in chain([first], rest):
            writer.write_table(table)
            rows += table.num_rows
    return rows


@contextmanager
def _writer(file: Any, kind: FileKind, schema: Any) -> Iterator[Any]:
    if kind == "parquet":
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer
        return
    place = pa.CompressedOutputStream(file, "gzip") if kind == "csv.gz" else file
    options = arrow_csv.WriteOptions(quoting_style="needed")
    with arrow_csv.CSVWriter(place, schema, write_options=options) as writer:
        yield writer
    if place is not file:
        place.close()


@contextmanager
def _writable(shown: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        why = reason(error)
        raise InputError(
            f"{shown} cannot be written to: {why}. Name a place that you may write to, with room for it."
        ) from None
