"""A part of an output: the files of one chunk of the input, committed when its record is written."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet
from pydantic import ValidationError

from churn.batch.arrow_arrays import numpy_array, text_array
from churn.batch.batch_settings import PartFormat
from churn.batch.fingerprints import ID_HASH
from churn.batch.job import BatchJob
from churn.batch.output_folder import OutputFolder, write_bytes
from churn.batch.score_chunk import ScoredChunk
from churn.frozen_model import FrozenModel
from churn.scoring.manifest import Sha256

_REPEATED = [
    *("risk_band", "model_version", "scored_at", "field", "reason"),
    *(f"reasons.list.element.{name}" for name in ("column", "sentence", "direction", "strength")),
]
"""Columns of few different values; a dictionary of the others costs more than it saves."""
SCORES = "scores"
PROGRESS = "progress"
BINS = 50
"""Equal bins of the probability, 0 to 1, in which scores are counted."""


class StoredFile(FrozenModel):
    """A file of an output: its name there, its digest and how many rows it has."""

    name: str
    sha256: Sha256
    rows: int


class Part(FrozenModel):
    """The record of a part.

    Attributes:
        job: id of the job that it is of.
        number: of the chunk, from 0.
        first_row: number of its first row in the input, from 1.
        rows: rows of the input.
        scores: the rows that were scored.
        rejected: the rows that were set aside.
        fingerprints: hashes of ids and of what was scored; for the rest of the run alone.
        id_hash: how ids were hashed; a part of a release that hashed them otherwise is made anew.
        repeated: how many of the rejected have the id of an earlier row.
        positive: how many reach the threshold.
        histogram: how many scores lie in each of `BINS` equal bins.
    """

    job: str
    number: int
    first_row: int
    rows: int
    scores: StoredFile
    rejected: StoredFile
    fingerprints: StoredFile
    id_hash: Literal["words"]
    repeated: int
    positive: int
    histogram: tuple[int, ...]


def write_part(
    folder: OutputFolder,
    job: BatchJob,
    number: int,
    first_row: int,
    scored: ScoredChunk,
    *,
    repeated: int = 0,
) -> Part:
    """Commits a part: its files first, then the record that names them."""
    name, kind = f"part-{number:05d}", job.format
    rejected, probability = scored.rejected, numpy_array(scored.scores["probability"])
    part = Part(
        job=job.id,
        number=number,
        first_row=first_row,
        rows=scored.scores.num_rows + rejected.num_rows,
        scores=_write(folder, f"{SCORES}/{name}.{kind}", scored.scores, _WRITERS[kind]),
        rejected=_write(folder, f"{PROGRESS}/{name}-rejected.parquet", rejected, _write_parquet),
        fingerprints=_write(folder, f"{PROGRESS}/{name}.arrow", scored.fingerprints, _write_arrow),
        id_hash=ID_HASH,
        repeated=repeated,
        positive=int(np.count_nonzero(numpy_array(scored.scores["decision"]))),
        histogram=tuple(np.histogram(probability, BINS, (0, 1))[0].tolist()),
    )
    write_bytes(folder, f"{PROGRESS}/{name}.json", part.model_dump_json(indent=1).encode())
    return part


def read_parts(folder: OutputFolder, job: BatchJob) -> dict[int, Part]:
    """The parts of an unfinished job by number, those whose files are as their record says."""
    found = {}
    for name in folder.names():
        if name.startswith(f"{PROGRESS}/") and name.endswith(".json"):
            with suppress(ValidationError):  # a damaged record is as good as none
                part = Part.model_validate_json(folder.read(name) or b"")
                files = (part.scores, part.rejected, part.fingerprints)
                if part.job == job.id and are_as_recorded(folder, files):
                    found[part.number] = part
    return found


def are_as_recorded(folder: OutputFolder, files: Iterable[StoredFile]) -> bool:
    """Whether every file is there with the bytes that it was committed with."""
    return all(_digest(folder.read(each.name)) == each.sha256 for each in files)


def read_table(folder: OutputFolder, file: StoredFile, schema: Any, columns: list[str]) -> Any:
    """Some columns of a part's file, as a pyarrow table."""
    content = pa.BufferReader(folder.read(file.name) or b"")
    if file.name.endswith(".arrow"):
        return pa.ipc.open_file(content).read_all().select(columns)
    if file.name.endswith(".parquet"):
        return parquet.ParquetFile(content).read(columns=columns).select(columns)
    kinds = {name: schema.field(name).type for name in columns}
    return csv.read_csv(
        content,
        convert_options=csv.ConvertOptions(
            column_types=kinds,
            include_columns=columns,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # an id may be the text NA
        ),
    )


def _write(
    folder: OutputFolder, name: str, table: Any, write: Callable[[Any, Any], None]
) -> StoredFile:
    target = io.BytesIO()
    write(table, target)
    content = target.getvalue()
    write_bytes(folder, name, content)
    return StoredFile(name=name, sha256=_digest(content), rows=table.num_rows)


def _write_parquet(table: Any, target: io.BytesIO) -> None:
    parquet.write_table(
        table,
        target,
        compression="snappy",
        row_group_size=1 << 20,
        use_dictionary=_REPEATED,
        write_statistics=["row"],
    )


def with_plain_reasons(table: Any) -> Any:
    """Scores whose reasons are JSON, for formats that have no lists."""
    if "reasons" not in table.column_names:
        return table
    texts = [json.dumps(each, ensure_ascii=False) for each in table["reasons"].to_pylist()]
    place = table.column_names.index("reasons")
    return table.set_column(place, "reasons", text_array(texts))


def _write_csv(table: Any, target: io.BytesIO) -> None:
    csv.write_csv(with_plain_reasons(table), target)


def _write_arrow(table: Any, target: io.BytesIO) -> None:
    with pa.ipc.new_file(target, table.schema) as writer:
        writer.write_table(table)


_WRITERS: dict[PartFormat, Callable[[Any, io.BytesIO], None]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
}


def _digest(content: bytes | None) -> str:
    return hashlib.sha256(content or b"").hexdigest()


def write_rejected(folder: OutputFolder, name: str, parts: list[Part], schema: Any) -> StoredFile:
    """Joins the rows that the parts have set aside in one parquet file, part after part."""
    with folder.new_file(name) as path:
        with parquet.ParquetWriter(path, schema, compression="snappy") as writer:
            for part in parts:
                if part.rejected.rows:
                    rows = folder.read(part.rejected.name) or b""
                    writer.write_table(parquet.ParquetFile(pa.BufferReader(rows)).read())
        digest = _file_digest(path)
    return StoredFile(name=name, sha256=digest, rows=sum(part.rejected.rows for part in parts))


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
