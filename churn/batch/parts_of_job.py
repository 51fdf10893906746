"""The parts of a job: those that are missing are scored, and the manifest sums all of them up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

from churn.batch.job import BatchJob
from churn.batch.ledger_rows import record_parts
from churn.batch.manifest import MANIFEST, REJECTED_FILE, BatchManifest
from churn.batch.output_folder import OutputFolder, write_bytes
from churn.batch.part import (
    BINS,
    Part,
    StoredFile,
    read_parts,
    read_table,
    write_part,
    write_rejected,
)
from churn.batch.read_chunk import REJECTED
from churn.batch.repeated_ids import repeated_rows
from churn.batch.score_chunk import BatchScorer, ScoredChunk, score_chunk
from churn.batch.settled_job import remove_progress
from churn.data.sources import TableChunk, TableSource
from churn.errors import ChurnError, InputError

if TYPE_CHECKING:
    from churn.ledger.predictions import PredictionLedger

Engine = Callable[[Iterable[TableChunk], BatchScorer], Iterator[tuple[TableChunk, ScoredChunk]]]
"""Scores chunks, in any order."""
Deliver = Callable[[BatchJob, Iterator[Any]], None]
"""Takes the scores of a job to a place beyond the folder; twice has no other effect than once."""


@contextmanager
def going_on(away: type[InputError]) -> Iterator[None]:
    """Turns the error of a place that is away for now into one that a retry can mend."""
    try:
        yield
    except away as error:
        raise ChurnError(
            f"{error} What is scored is kept: the same command goes on where it stopped."
        ) from None


class RunFacts(TypedDict):
    """What a manifest says of the run: the engine, who ran it, and when it began (`perf_counter`)."""

    engine: str
    run_by: str
    began: float


class PartsOfJob:
    """The parts of a job that lie in its folder, and the ones to come."""

    def __init__(
        self,
        folder: OutputFolder,
        job: BatchJob,
        scorer: BatchScorer,
        source: TableSource,
        on_rows: Callable[[int], None],
    ) -> None:
        self._folder, self._job = folder, job
        self._scorer, self._source, self._on_rows = scorer, source, on_rows
        self._parts = read_parts(folder, job)
        self._found = len(self._parts)
        self._not_read: tuple[str, ...] = ()
        self._rows = 0

    def score(self, engine: Engine) -> None:
        """Commits every part that is missing.

        Raises:
            InputError: the input cannot be read to its end by the contract, or has no rows.
        """
        for chunk, scored in engine(self._missing(), self._scorer):
            self._commit(chunk, scored)
            self._advance(chunk)
        if not self._rows:
            raise InputError(f"{self._source.shown} has no customers. Take a table with rows.")

    def set_repeated_aside(self) -> None:
        """Writes the parts anew that have rows whose id an earlier row has."""
        found = repeated_rows(self._folder, self._ordered, self._scorer.schema)
        for chunk in self._source.chunks(self._job.rows_a_part) if found else ():
            earlier = found.get(chunk.number)
            if earlier:
                first = chunk.first_row + 1
                scored = score_chunk(chunk.table, self._scorer, first_row=first, repeated=earlier)
                self._commit(chunk, scored, repeated=len(earlier))

    def finish(
        self,
        max_bad_rows: float,
        *,
        ledger: PredictionLedger | None,
        deliver: Deliver | None,
        run: RunFacts,
    ) -> BatchManifest:
        """Writes what concerns all parts, and the manifest last.

        Raises:
            InputError: the place of delivery cannot be used.
            ChurnError: the ledger cannot be used; the next run goes on.
        """
        parts, folder, job = self._ordered, self._folder, self._job
        reason = self._refusal(max_bad_rows)
        rejected = write_rejected(folder, REJECTED_FILE, parts, REJECTED)
        kept = 0
        if not reason and deliver is not None:
            deliver(job, self._scores(parts))
        if not reason and ledger is not None:
            with going_on(InputError):
                kept = record_parts(ledger, folder, job, parts, self._scorer.schema)
        has_scores = not reason and deliver is None
        manifest = self._manifest(reason, rejected, kept, run, has_scores=has_scores)
        if not has_scores:
            for part in parts:
                folder.remove(part.scores.name)
        write_bytes(folder, MANIFEST, manifest.model_dump_json(indent=1).encode())
        remove_progress(folder)
        return manifest

    def _scores(self, parts: list[Part]) -> Iterator[Any]:
        schema = self._scorer.schema
        for part in parts:
            if part.scores.rows:
                yield read_table(self._folder, part.scores, schema, schema.names)

    @property
    def _ordered(self) -> list[Part]:
        return [self._parts[number] for number in sorted(self._parts)]

    def _missing(self) -> Iterator[TableChunk]:
        for chunk in self._source.chunks(self._job.rows_a_part):
            if chunk.number == 0:
                names = {name.strip() for name in chunk.table.column_names}
                unscored = self._scorer.scorer.contract.unscored
                self._not_read = tuple(name for name in unscored if name in names)
            if chunk.number in self._parts:
                self._advance(chunk)
            else:
                yield chunk

    def _commit(self, chunk: TableChunk, scored: ScoredChunk, *, repeated: int = 0) -> None:
        self._parts[chunk.number] = write_part(
            self._folder, self._job, chunk.number, chunk.first_row + 1, scored, repeated=repeated
        )

    def _advance(self, chunk: TableChunk) -> None:
        self._rows += chunk.table.num_rows
        self._on_rows(self._rows)

    def _refusal(self, most: float) -> str:
        """Why the input is refused for its rows; empty if it is not."""
        rows, parts = self._rows, self._ordered
        repeated = sum(part.repeated for part in parts)
        bad = sum(part.rejected.rows for part in parts)
        reasons = f"{self._folder.shown}/{REJECTED_FILE} has each with its reason"
        if bad == rows:
            return (
                f"All {rows:,} rows of {self._source.shown} are refused; {reasons}. Correct them."
            )
        if repeated and self._job.duplicates == "refuse":
            return (
                f"{repeated:,} of {rows:,} rows have the id of an earlier row, and nothing is scored "
                f"by duplicates=refuse; {reasons}. Keep one row a customer."
            )
        if bad > (most if isinstance(most, int) else most * rows):
            limit = f"{100 * most:.4g}%"
            if isinstance(most, int):
                limit = f"{most:,} row{'' if most == 1 else 's'}"
            return (
                f"{bad:,} of {rows:,} rows are refused, more than max_bad_rows allows ({limit}), so "
                f"nothing is scored; {reasons}. Correct the rows, or raise max_bad_rows."
            )
        return ""

    def _manifest(
        self, reason: str, rejected: StoredFile, kept: int, run: RunFacts, *, has_scores: bool
    ) -> BatchManifest:
        parts = self._ordered
        scored = sum(part.scores.rows for part in parts)
        if scored + rejected.rows != self._rows:
            raise ChurnError(
                f"{scored:,} rows scored and {rejected.rows:,} set aside are not the "
                f"{self._rows:,} of the input. Report this; {self._folder.shown} has no manifest."
            )
        return BatchManifest(
            status="refused" if reason else "complete",
            reason=reason,
            job_id=self._job.id,
            job=self._job,
            rows=self._rows,
            accepted=scored,
            rejected=rejected.rows,
            repeated=sum(part.repeated for part in parts),
            positive=sum(part.positive for part in parts),
            histogram=tuple(sum(part.histogram[at] for part in parts) for at in range(BINS)),
            parts=tuple(part.scores for part in parts) if has_scores else (),
            rejected_rows=rejected,
            not_read=self._not_read,
            ledger_rows=kept,
            parts_found=self._found,
            engine=run["engine"],
            seconds=round(time.perf_counter() - run["began"], 3),
            finished_at=datetime.now(UTC),
            run_by=run["run_by"],
        )
