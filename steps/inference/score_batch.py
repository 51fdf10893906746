"""Scores a table into a folder."""

import getpass
import hashlib
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any

from zenml import step

from churn.batch.chosen_version import load_scorer
from churn.batch.expected_rows import expected_rows
from churn.batch.given_places import open_table, place_of
from churn.batch.keep_inputs import keep_batch_inputs
from churn.batch.manifest import BatchManifest
from churn.batch.opened_engine import opened_engine
from churn.batch.output_folder import output_folder
from churn.batch.run_batch import BatchRequest, RefusedRowsError, run_batch
from churn.batch.table_output import TableOutput, is_table
from churn.contract import with_reading
from churn.errors import InputError
from churn.home import home
from churn.kept_inputs.pseudonym import inputs_key
from churn.ledger.predictions import PredictionLedger
from churn.reports.batch_report import BatchReport, batch_report
from churn.root import ROOT
from churn.scoring.address import Address
from churn.scoring.bundle import address, store_of_model
from churn.settings.batch_inference import BatchInferenceSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.last_report import last_report
from registry.step_context import step_context
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def score_batch(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[BatchReport, Artifact.BATCH_REPORT]:
    """Scores every row that the contract allows, or goes on with what a killed run has left.

    Raises:
        InputError: the input or the output is at fault, or too many rows are refused.
        ChurnError: the output cannot be written; the next run goes on.
    """
    with step_progress("score_batch") as progress, ExitStack() as places:
        options = BatchInferenceSettings.from_mapping(settings)
        last = last_report(Artifact.BATCH_REPORT, options.model.name)
        expected = expected_rows(options.input)
        # What can be at fault is looked at before an hour of scoring.
        if options.keep_inputs:
            inputs_key()
        is_database = is_table(options.output)
        table = TableOutput(options.output, append=options.append) if is_database else None
        ledger = None
        if options.record_predictions:
            ledger = places.enter_context(PredictionLedger(folders["ledger"]))
            ledger.prepare()
        request = _request(options, folders)
        try:
            result = run_batch(
                request,
                output_folder(_records(options) if table else place_of(options.output)),
                partial(open_table, options.input),
                ledger=ledger,
                engine=places.enter_context(
                    opened_engine(options.engine, request.store, options.spark_master)
                ),
                deliver=table,
                on_rows=lambda done: progress.count_rows(done, expected),
            )
        except RefusedRowsError as refused:
            raise _refusal(batch_report(refused.batch, last=last)) from None
        if options.keep_inputs:
            _keep_inputs(options, folders, request.store, result.manifest)
        report = batch_report(result, table.shown if table else "", last)
        progress.record(report.sentence, report.figures)
    return report


def _refusal(report: BatchReport) -> InputError:
    """Of the class that a stack's server knows, with the counts for `--json`."""
    error = InputError(report.sentence)
    error.result = report
    return error


def _keep_inputs(
    options: BatchInferenceSettings,
    folders: dict[str, str],
    store: Address,
    manifest: BatchManifest,
) -> None:
    job = manifest.job
    contract = load_scorer(store, job.version, job.bundle)[0].contract
    keep_batch_inputs(
        open_table(options.input, with_reading(contract, ROOT / options.data.contract)),
        manifest,
        contract,
        output_folder(f"{place_of(folders['inputs'])}/{job.model}"),
        key=inputs_key(),
        days=options.keep_inputs_days,
    )


def _records(options: BatchInferenceSettings) -> str:
    """Where job, manifest and rejected rows of scores in a table are kept."""
    if options.records:
        return place_of(options.records)
    name = hashlib.sha256(f"{options.output} {options.input}".encode()).hexdigest()[:16]
    return str(home() / "batch" / name)


def _request(options: BatchInferenceSettings, folders: dict[str, str]) -> BatchRequest:
    model, context = options.model.name, step_context()
    run = f" in run {context.pipeline_run.name}" if context is not None else ""
    return BatchRequest(
        store=store_of_model(address(folders["bundles"]), model),
        model=model,
        version=options.version,
        contract_file=ROOT / options.data.contract,
        explain=options.explain,
        duplicates=options.duplicates,
        max_bad_rows=options.max_bad_rows,
        format=options.format,
        rows_a_part=options.rows_a_part,
        in_ledger=options.record_predictions,
        replaces=is_table(options.output),
        engine=options.engine,
        run_by=f"{_user()}{run}",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "an unnamed user"
