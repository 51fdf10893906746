"""A batch from its job file to its manifest: what is there already is kept, what is missing is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from churn.batch.batch_settings import Duplicates, PartFormat
from churn.batch.chosen_version import ChosenVersion, choose_version, load_scorer
from churn.batch.job import BatchJob
from churn.batch.local_engine import LocalEngine
from churn.batch.manifest import MANIFEST, BatchManifest
from churn.batch.output_folder import OutputFolder
from churn.batch.parts_of_job import Engine, PartsOfJob, going_on
from churn.batch.score_chunk import BatchScorer
from churn.batch.settled_job import discard, read_job, remove_progress, settle_job
from churn.contract import DataContract, with_reading
from churn.data.sources import CHUNK_ROWS, TableSource, UnreachableTableError
from churn.errors import ChurnError, InputError
from churn.scoring.address import Address

if TYPE_CHECKING:
    from churn.batch.table_output import TableOutput
    from churn.ledger.predictions import PredictionLedger

_ONE_THREAD = LocalEngine(1)


@dataclass(frozen=True)
class BatchRequest:
    """What is asked of a batch run.

    Attributes:
        store: the bundle store of the model.
        model: its name.
        version: of the model; empty for the one in production.
        contract_file: the contract's file, whose `reading` translates the input; None for no translation.
        explain: reasons a customer, at most.
        duplicates: whether rows with the id of an earlier row are set aside, or refuse the input.
        max_bad_rows: beyond so many rejected rows the input is refused; a float is a share.
        format: of the parts.
        rows_a_part: rows of the input that a part stands for, at most.
        in_ledger: whether the ledger keeps the predictions.
        replaces: whether a job of another input or version gives way to this one, as where the folder
            has the records of scores that lie elsewhere; otherwise it is refused.
        engine: name of the engine, for the manifest.
        run_by: user and run, for the manifest.
    """

    store: Address
    model: str
    version: str = ""
    contract_file: Path | None = None
    explain: int = 0
    duplicates: Duplicates = "set_aside"
    max_bad_rows: int | float = 0.01
    format: PartFormat = "parquet"
    rows_a_part: int = CHUNK_ROWS
    in_ledger: bool = True
    replaces: bool = False
    engine: str = "local"
    run_by: str = ""


@dataclass(frozen=True)
class BatchResult:
    """What a run has done.

    Attributes:
        manifest: of the output.
        unchanged: whether it was complete before the run.
        threshold: probability from which on the version's decision is true.
        records: the folder of job, manifest and rejected rows.
    """

    manifest: BatchManifest
    unchanged: bool
    threshold: float
    records: str


class RefusedRowsError(InputError):
    """An input that was refused for its rows, of which the folder has a manifest."""

    def __init__(self, batch: BatchResult) -> None:
        super().__init__(batch.manifest.reason)
        self.batch = batch


def run_batch(
    request: BatchRequest,
    folder: OutputFolder,
    open_table: Callable[[DataContract], TableSource],
    *,
    ledger: PredictionLedger | None = None,
    engine: Engine = _ONE_THREAD,
    deliver: TableOutput | None = None,
    on_rows: Callable[[int], None] = lambda _done: None,
) -> BatchResult:
    """Scores a table into a folder, or goes on with what an earlier run of the same job has left.

    Args:
        request: what is asked.
        folder: the output.
        open_table: opens the input by a version's contract.
        ledger: keeps the predictions, if that is asked for.
        engine: scores the chunks.
        deliver: a table of a database that takes the scores; the folder then has only the records.
        on_rows: called with the rows of the input that are done.

    Raises:
        RefusedRowsError: the input is refused for its rows; it leaves these and a manifest that says so.
        InputError: the request, the input or the output is at fault otherwise.
        ChurnError: the output cannot be written, or the input not be read any more; the next run
            goes on.
    """
    began = time.perf_counter()
    with folder.locked(), _writing(folder):
        scorer, source, job, complete = _begin(request, folder, open_table, deliver)
        if complete is not None:
            remove_progress(folder)  # a run that was killed right behind the manifest has left it
            return BatchResult(
                complete,
                unchanged=True,
                threshold=scorer.scorer.threshold,
                records=folder.shown,
            )
        parts = PartsOfJob(folder, job, scorer, source, on_rows)
        with going_on(UnreachableTableError):
            with _discarding(folder):
                parts.score(engine)
                parts.set_repeated_aside()
            manifest = parts.finish(
                request.max_bad_rows,
                ledger=ledger if job.in_ledger else None,
                deliver=deliver,
                run={"engine": request.engine, "run_by": request.run_by, "began": began},
            )
    result = BatchResult(
        manifest, unchanged=False, threshold=scorer.scorer.threshold, records=folder.shown
    )
    if manifest.status == "refused":
        raise RefusedRowsError(result)
    return result


def _begin(
    request: BatchRequest,
    folder: OutputFolder,
    open_table: Callable[[DataContract], TableSource],
    deliver: TableOutput | None,
) -> tuple[BatchScorer, TableSource, BatchJob, BatchManifest | None]:
    """The job that is to be done or is complete, with its version and its input."""
    existing = read_job(folder)
    chosen = choose_version(request.store, request.model, request.version)
    version, bundle = chosen.version, chosen.digest
    if existing is not None:
        version, bundle = existing.version, existing.bundle
    scorer, bands = load_scorer(request.store, version, bundle)
    contract = scorer.contract
    if request.contract_file is not None:
        contract = with_reading(contract, request.contract_file)
    source = open_table(contract)
    requested = _new_job(request, chosen, source, contract)
    has_ids = deliver is not None and _has_ids(source, contract, request.rows_a_part)
    if deliver is not None:
        deliver.require_fit(explained=bool(request.explain), has_ids=has_ids)
    job, complete = settle_job(folder, requested, request.version, replaces=request.replaces)
    if job.bundle != bundle:  # the job has given way to one of another version
        discard(folder)
        return _begin(request, folder, open_table, deliver)
    if complete and deliver and not deliver.has_all(job, complete.accepted, has_ids=has_ids):
        folder.remove(MANIFEST)
        complete = None
    batch_scorer = BatchScorer(scorer, bands, job.scored_at, job.explain, kept=job.in_ledger)
    return batch_scorer, source, job, complete


def _has_ids(source: TableSource, contract: DataContract, rows: int) -> bool:
    first = next(source.chunks(rows), None)
    return first is not None and contract.id.name in map(str.strip, first.table.column_names)


def _new_job(
    request: BatchRequest, chosen: ChosenVersion, source: TableSource, contract: DataContract
) -> BatchJob:
    return BatchJob(
        input=source.shown,
        input_digest=source.digest(),
        model=request.model,
        version=chosen.version,
        bundle=chosen.digest,
        contract=contract.table_digest(),
        scored_at=datetime.now(UTC).replace(microsecond=0),
        explain=request.explain,
        duplicates=request.duplicates,
        format=request.format,
        rows_a_part=request.rows_a_part,
        in_ledger=request.in_ledger,
        role="production" if chosen.in_production else "shadow",
    )


@contextmanager
def _discarding(folder: OutputFolder) -> Iterator[None]:
    """Leaves nothing of a job whose input turns out to be at fault; one out of reach for now is not."""
    try:
        yield
    except UnreachableTableError:
        raise
    except InputError:
        with suppress(ChurnError, OSError):
            discard(folder)
        raise


@contextmanager
def _writing(folder: OutputFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ChurnError(
            f"The output {folder.shown} cannot be written: {error.strerror or error}. Mend that, and "
            "run the same command again: it goes on where it stopped."
        ) from None
