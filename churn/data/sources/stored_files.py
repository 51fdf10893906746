"""A table in files that follow one another, wherever they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from churn.data.dataset import Format
from churn.data.intake.local import reason
from churn.data.intake.raw import file_batches, file_format
from churn.data.intake.unpack import MAGIC
from churn.data.sources.table_source import (
    CHUNK_ROWS,
    TableChunk,
    UnreachableTableError,
    numbered,
    regrouped,
)
from churn.errors import InputError

_PIECE = 1 << 20
_ROW_GROUPS = frozenset({"parquet"})


class StoredFile(Protocol):
    """One file of a table."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def partition(self) -> Mapping[str, str | None]:
        """Columns whose value the file's folders say, as in `country=DE/part-0.parquet`."""

    @property
    def stamp_is_content(self) -> bool:
        """Whether an equal stamp alone proves equal bytes."""

    def open(self) -> Any:
        """The file for reading, at its beginning."""

    def size(self) -> int:
        """Its bytes."""

    def stamp(self) -> Hashable:
        """What changes when the file does."""


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    path: Path
    name: str
    partition: Mapping[str, str | None] = field(default_factory=dict)
    stamp_is_content: bool = False  # two writes within one tick of the clock have one stamp

    def open(self) -> Any:
        """The file for reading, at its beginning."""
        return self.path.open("rb")

    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size

    def stamp(self) -> Hashable:
        """What changes when the file does."""
        facts = self.path.stat()
        return (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


class FileSource:
    """A table in files that follow one another.

    Args:
        files: The files, in order; at least one.
        shown: The address as it may be shown.
        separator: What stands between the cells of CSV.
        coded: Columns of parquet whose texts come as places in a dictionary.
    """

    def __init__(
        self,
        files: Sequence[StoredFile],
        shown: str,
        separator: str = ",",
        coded: Collection[str] = (),
    ) -> None:
        self.shown = shown
        self._coded = coded
        self._files = files
        self._separator = separator
        self._digest: str | None = None
        self._stamps: list[Hashable] = []

    @property
    def format(self) -> Format:
        """What the first file is."""
        return _format(self._files[0])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        total = 0
        for file in self._files:
            with _readable(file):
                total += file.size()
        return total

    @property
    def ordered(self) -> bool:
        """One file's rows are; the parts of a folder may be named and cut in any way."""
        return len(self._files) == 1

    def digest(self) -> str:
        """SHA-256 of the files' bytes, one after another."""
        if self._digest is None:
            self._require_unchanged()
            self._digest = self._hashed()
            self._require_unchanged()
        return self._digest

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[TableChunk]:
        """The rows, file by file; a chunk of parquet spans no two row groups."""
        yield from numbered(self._tables(rows))

    def _tables(self, rows: int) -> Iterator[Any]:
        self._require_unchanged()
        batches = self._batches(rows)
        try:
            if self.format in _ROW_GROUPS:
                yield from (pa.Table.from_batches([batch]) for batch in batches)
            else:
                yield from regrouped(batches, rows)
        except InputError:
            self._require_unchanged()  # half a line is no fault of a file that is being written
            raise
        self._require_unchanged()
        if not all(file.stamp_is_content for file in self._files):
            known, self._digest = self._digest, self._hashed()
            if known not in (None, self._digest):
                raise self._changed()

    def _require_unchanged(self) -> None:
        """Raises `InputError` if a file is not the one that was looked at first."""
        stamps = []
        for file in self._files:
            with _readable(file):
                stamps.append(file.stamp())
        self._stamps = self._stamps or stamps
        if stamps != self._stamps:
            raise self._changed()

    def _changed(self) -> InputError:
        return InputError(
            f"{self.shown} changed while it was read. Read it again when nothing writes to it."
        )

    def _batches(self, rows: int) -> Iterator[Any]:
        """Every file's batches.

        Raises:
            InputError: a file is no table, or another table than the first.
        """
        first, names = self._files[0], None
        for file in self._files:
            own_format = _format(file)
            with _readable(file):
                for stored in file_batches(
                    file.open,
                    file.name,
                    rows=rows,
                    separator=self._separator,
                    coded=self._coded,
                ):
                    batch = _with_partition(stored, file.partition)
                    names = names or batch.schema.names
                    if (own_format, batch.schema.names) != (self.format, names):
                        raise InputError(
                            f"{file.name} has other columns than {first.name}, or another format, "
                            "though both are parts of one table. Write the folder again."
                        )
                    yield batch

    def _hashed(self) -> str:
        digest = hashlib.sha256()
        for file in self._files:
            with _readable(file), file.open() as opened:
                while piece := opened.read(_PIECE):
                    digest.update(piece)
        return digest.hexdigest()


def _format(file: StoredFile) -> Format:
    with _readable(file), file.open() as opened:
        return file_format(opened.read(MAGIC), file.name)


def _with_partition(batch: Any, partition: Mapping[str, str | None]) -> Any:
    for name, value in partition.items():
        batch = batch.append_column(name, pa.array([value] * batch.num_rows, pa.string()))
    return batch


@contextmanager
def _readable(file: StoredFile) -> Iterator[None]:
    """Turns what a file system refuses into a sentence that names the file."""
    try:
        yield
    except OSError as error:
        raise UnreachableTableError(
            f"{file.name} cannot be read: {reason(error)}. Make it readable, or name another one."
        ) from None
