"""Dagster's resource that runs our pipelines, and what a run's outcome means to Dagster."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from pydantic import Field

from churn import home
from churn.contract import load_contract
from churn.errors import ChurnError, InputError, did_you_mean, error_reason
from churn.ledger.drift_checks import DriftLedger
from churn.root import ROOT
from runner.command_line import run_pipeline
from runner.outcome import Outcome
from runner.request import RunRequest, prepare_run
from stacks.spec import DEFAULT_STACK, load_stack

DATE = "{date}"
SETTINGS = ROOT / "orchestration" / "pipeline_runs.yaml"
Events = Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]


class PipelineRuns(dg.ConfigurableResource[Any]):
    """Runs a pipeline as `run.py` does: same settings, same refusals, same outcome.

    Attributes:
        stack: Name of the stack.
        table: Address of the labelled customer table; `{date}` in it stands for the partition's day.
        customers: Address of the customers to score; empty for the same table.
        scores: Where a day's scores go; empty for `scores/{date}` of the folder.
        contract: The data contract's file.
        profile: As `--set profile=` has it.
        folder: Where everything is kept; empty for what CHURN_HOME names, or `.churn`.
        ledger: A database address; empty for the stack's, or SQLite in the folder.
        settings: More `key=value` for a pipeline, by its name.
    """

    stack: str = DEFAULT_STACK
    table: str = "bundled"
    customers: str = ""
    scores: str = ""
    contract: str = "data/contracts/telco.yaml"
    profile: str = "full"
    folder: str = ""
    ledger: str = ""
    settings: dict[str, list[str]] = Field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder in which everything is kept."""
        return home.home(self.folder or None)

    def table_of(self, day: str) -> str:
        """The labelled table of a day."""
        return self.table.replace(DATE, day)

    def customers_of(self, day: str) -> str:
        """The customers to score on a day: an address that names the bundled table by its path."""
        address = (self.customers or self.table).replace(DATE, day)
        snapshot = load_contract(ROOT / self.contract).snapshot
        return str(ROOT / snapshot.path) if address == "bundled" and snapshot else address

    def scores_of(self, day: str) -> str:
        """Where the scores of a day go."""
        return self.scores.replace(DATE, day) or str(self.state / "scores" / day)

    def request(self, pipeline: str, *settings: str) -> RunRequest:
        """What `run.py` would be given; the resource's own settings come last and win."""
        given = [f"profile={self.profile}", f"data.contract={self.contract}", *settings]
        if self.folder and pipeline != "batch_inference":  # whose `output` is where scores go
            given.append(f"output.folder={self.state}")
        if self.ledger and pipeline not in {"training", "features"}:
            given.append(f"ledger={self.ledger}")
        given += self.settings.get(pipeline, [])
        return RunRequest(pipeline, self.stack, overrides=tuple(given))

    def check(self, pipeline: str, *settings: str) -> dict[str, str]:
        """Checks a request and its table, and runs nothing.

        Raises:
            ChurnError: the settings, the contract or the table are at fault.
        """
        self._say_where()
        table = prepare_run(self.request(pipeline, *settings)).table
        return {name: value for name, value in vars(table).items() if value} if table else {}

    def run(self, pipeline: str, *settings: str) -> Outcome:
        """Runs a pipeline to its end; every error is an outcome."""
        self._say_where()
        return run_pipeline(self.request(pipeline, *settings), as_json=True)

    def open_ledger(self) -> DriftLedger | None:
        """The drift checks; None where nothing was ever written.

        Raises:
            InputError: the ledger's address is none, or the stack's needs a variable that is not set.
            ChurnError: the ledger cannot be used.
        """
        address = self.ledger or self._stack_ledger()
        ledger = DriftLedger(address or f"sqlite:///{self.state / 'ledger.db'}")
        if ledger.file is not None and not ledger.file.exists():
            ledger.close()
            return None
        return ledger

    def _stack_ledger(self) -> str | None:
        return load_stack(self.stack).resolved({"state": str(self.state)}).places.ledger

    def _say_where(self) -> None:
        os.environ[home.VARIABLE] = str(self.state)


def configured_runs(path: Path = SETTINGS) -> PipelineRuns:
    """The resource as its settings file has it.

    Raises:
        InputError: the file cannot be read, or a setting in it is unknown or not allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        unknown = [name for name in content if name not in PipelineRuns.model_fields]
        if not unknown:
            return PipelineRuns(**content)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as settings: {error_reason(error)}.") from None
    near = did_you_mean(str(unknown[0]), PipelineRuns.model_fields)
    hint = f" Did you mean '{near}'?" if near else ""
    raise InputError(f"{path} has an unknown setting '{unknown[0]}'.{hint}")


def outcome_events(outcome: Outcome, check: str, *, blocks: bool = True) -> Events:
    """What became of a run, for an asset: its gate as an asset check, its figures as metadata.

    Args:
        outcome: of the run.
        check: name of the asset check.
        blocks: whether a run that its gates held is an error for what comes after it.

    Raises:
        dagster.Failure: it was refused, which another attempt does not change; or it broke off.
    """
    if outcome.status in {"completed", "held"}:
        held = outcome.status == "held"
        severity = dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN
        verdict = dg.AssetCheckResult(
            check_name=check,
            passed=not held,
            severity=severity,
            description=outcome.error,
            metadata={"status": outcome.status},
        )
        yield dg.MaterializeResult(metadata=_metadata(outcome), check_results=[verdict])
        return
    yield from refusal_events(outcome.error or "", check, again=outcome.status == "failed")


def refusal_events(sentence: str, check: str, *, again: bool = False) -> Events:
    """A failed check, then a failure; Dagster tries it again only where that can help.

    Raises:
        dagster.Failure: always.
    """
    if not again:
        yield dg.AssetCheckResult(check_name=check, passed=False, description=sentence)
    raise dg.Failure(sentence, allow_retries=again)


def check_events(runs: PipelineRuns, check: str, pipeline: str, *settings: str) -> Events:
    """The preflight of a pipeline as an asset: what was read, or why not.

    Raises:
        dagster.Failure: the table, the contract or the settings are at fault.
    """
    try:
        read = runs.check(pipeline, *settings)
    except ChurnError as error:
        yield from refusal_events(str(error), check)
        return
    yield dg.MaterializeResult(
        metadata=dict(read), check_results=[dg.AssetCheckResult(check_name=check, passed=True)]
    )


def _metadata(outcome: Outcome) -> dict[str, Any]:
    known: dict[str, Any] = {
        "status": outcome.status,
        "run": outcome.run_name,
        "seconds": round(outcome.seconds, 1),
        "version": outcome.model_version,
        "stage": outcome.stage,
        "sentence": outcome.result.sentence if outcome.result else outcome.error,
        "report": dg.MetadataValue.path(outcome.report) if outcome.report else None,
        "dashboard": dg.MetadataValue.url(outcome.dashboard) if outcome.dashboard else None,
    }
    figures = {name.replace(".", "_"): value for name, value in outcome.metrics.items()}
    return {name: value for name, value in (known | figures).items() if value is not None}
