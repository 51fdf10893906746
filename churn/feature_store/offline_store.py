"""The offline store: every version of the features, in a folder or a bucket.

Below its place: `data/processed/<date>/<contract>-<version>/` holds the rows of a version in parquet
files and its provenance; `feature_store/<contract>/versions/` a second copy of each provenance,
from which a version that was lost or damaged is made again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from churn.durable import TakenError, new_folder, replace_file
from churn.errors import InputError
from churn.feature_store.provenance import PROVENANCE, ROWS, Provenance, StoredFile
from churn.scoring.address import Address, file_system, reason

_ROWS_A_FILE = 250_000
REGISTRY = "feature_store"
"""Folder below a store's place for what it knows of its versions."""


class OfflineStore:
    """The versions of features at one place.

    Attributes:
        place: a folder, or a URI that fsspec reads.
    """

    def __init__(self, place: Address) -> None:
        self.place = place

    def where(self, provenance: Provenance) -> str:
        """The folder or URI of a version."""
        return f"{self.place}/{provenance.folder}"

    def versions(self, contract: str) -> list[Provenance]:
        """Every version of a contract's features, by the time that they describe, then as built.

        Raises:
            InputError: the place cannot be read, or a record is damaged.
        """
        with self._reading() as (system, root):
            names = system.glob(f"{root}/{REGISTRY}/{contract}/versions/*.json")
            found = [_record(system.cat_file(name), name) for name in names]
        return sorted(found, key=lambda each: (each.observed, each.created, each.version))

    def add(self, provenance: Provenance, files: Mapping[str, bytes]) -> None:
        """Writes a version: all of its files, or none that anybody would read.

        Args:
            provenance: of the version; names the files and their checksums.
            files: the content of each by name.

        Raises:
            TakenError: another run has written it by now.
            InputError: the place cannot be written to, or has no space left.
        """
        content = {**files, PROVENANCE: _as_json(provenance)}
        with self._writing():
            if isinstance(self.place, Path):
                with new_folder(self.place / provenance.folder) as unfinished:
                    _write_files(unfinished, content)
            else:
                self._upload(provenance.folder, content)
            try:
                self._register(provenance)
            except OSError:
                if isinstance(self.place, Path):
                    shutil.rmtree(self.place / provenance.folder, ignore_errors=True)
                raise

    def restore(self, provenance: Provenance, files: Mapping[str, bytes]) -> None:
        """Writes the files of a version anew, each in one step; the others stay.

        Raises:
            InputError: the place cannot be written to, or has no space left.
        """
        content = {**files, PROVENANCE: _as_json(provenance)}
        with self._writing():
            if isinstance(self.place, Path):
                _write_files(self.place / provenance.folder, content)
            else:
                self._upload(provenance.folder, content)

    def damaged(self, provenance: Provenance) -> list[str]:
        """Names of a version's files that are missing or are not as they were written.

        Raises:
            InputError: the place cannot be read.
        """
        expected = {each.name: each.sha256 for each in provenance.files}
        expected[PROVENANCE] = checksum(_as_json(provenance))
        return [
            name
            for name, digest in expected.items()
            if (content := self.read_file(f"{provenance.folder}/{name}")) is None
            or checksum(content) != digest
        ]

    def read(self, provenance: Provenance, columns: list[str] | None = None) -> pa.Table:
        """The rows of a version.

        Raises:
            InputError: the place cannot be read, or a file is missing or damaged.
        """
        tables = []
        for part in provenance.files:
            content = self.read_file(f"{provenance.folder}/{part.name}")
            if content is None or checksum(content) != part.sha256:
                raise damaged_version(self.where(provenance), part.name, provenance)
            tables.append(pq.read_table(pa.BufferReader(content), columns=columns))
        return pa.concat_tables(tables)

    def adopt(self, provenance: Provenance) -> Provenance:
        """The version that another run has written at that place; recorded, where that was cut off.

        Raises:
            InputError: what is there is no version, or the place cannot be read or written to.
        """
        name = f"{provenance.folder}/{PROVENANCE}"
        content = self.read_file(name)
        if content is None:
            raise InputError(
                f"{self.where(provenance)} is there already, without {PROVENANCE}. Move it away."
            )
        found = _record(content, f"{self.place}/{name}")
        with self._writing():
            self._register(found)
        return found

    def read_file(self, name: str) -> bytes | None:
        """A file below the place; None where there is none.

        Raises:
            InputError: the place cannot be read.
        """
        with self._reading() as (system, root):
            try:
                content: bytes = system.cat_file(f"{root}/{name}")
            except FileNotFoundError:
                return None
        return content

    def write_file(self, name: str, content: bytes) -> None:
        """Writes a file below the place, in one step.

        Raises:
            InputError: the place cannot be written to, or has no space left.
        """
        with self._writing():
            self._replace(name, content)

    def _register(self, provenance: Provenance) -> None:
        name = f"{provenance.date}-{provenance.version}.json"
        content = _as_json(provenance)
        self._replace(f"{REGISTRY}/{provenance.contract.name}/versions/{name}", content)

    def _replace(self, name: str, content: bytes) -> None:
        if isinstance(self.place, Path):
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        else:
            system, root = file_system(self.place)
            system.pipe_file(f"{root}/{name}", content)

    def _upload(self, folder: str, files: Mapping[str, bytes]) -> None:
        # The provenance comes last: a version without one was never finished.
        system, root = file_system(str(self.place))
        for name in sorted(files, key=lambda each: each == PROVENANCE):
            system.pipe_file(f"{root}/{folder}/{name}", files[name])

    @contextmanager
    def _reading(self) -> Iterator[tuple[Any, str]]:
        try:
            yield file_system(str(self.place))
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
            raise InputError(
                f"The feature store at {self.place} cannot be read ({_why(error)}). Check the place "
                "and that you may read there."
            ) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (InputError, TakenError):
            raise
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
            raise InputError(
                f"The feature store at {self.place} cannot be written to ({_why(error)}); nothing "
                "half-written stays. Make it a place that you may write to and that has space, or "
                "choose another with --set output.folder=PATH."
            ) from None


def parquet_files(rows: pa.Table) -> dict[str, bytes]:
    """The rows as parquet files by name; the same rows give the same bytes."""
    files = {}
    for number, start in enumerate(range(0, max(1, rows.num_rows), _ROWS_A_FILE)):
        sink = pa.BufferOutputStream()
        pq.write_table(rows.slice(start, _ROWS_A_FILE), sink, compression="zstd")
        files[f"{ROWS}/part-{number:05}.parquet"] = sink.getvalue().to_pybytes()
    return files


def stored_files(files: Mapping[str, bytes]) -> tuple[StoredFile, ...]:
    """Name, checksum and rows of each parquet file."""
    return tuple(
        StoredFile(
            name=name,
            sha256=checksum(content),
            rows=pq.read_metadata(pa.BufferReader(content)).num_rows,
        )
        for name, content in files.items()
    )


def checksum(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def damaged_version(where: str, name: str, provenance: Provenance) -> InputError:
    """The sentence for a version whose file is missing or is not as it was written."""
    return InputError(
        f"The features at {where} are damaged: {name} is missing or is not as it was written "
        f"(SHA-256). Build them again with --set as_of={provenance.date}."
    )


def _as_json(provenance: Provenance) -> bytes:
    return provenance.model_dump_json(indent=1).encode()


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)


def _record(content: bytes, name: str) -> Provenance:
    try:
        return Provenance.model_validate_json(content)
    except ValidationError:
        raise InputError(
            f"The record {name} of the feature store is damaged, or of another release. Restore it "
            f"from {PROVENANCE} of its version, or move it away."
        ) from None


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return text or reason(error)
