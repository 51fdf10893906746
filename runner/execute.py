"""Runs a pipeline on a stack, for the command line, the tests and whatever schedules runs.

The order matters: input is checked before anything starts; the stack is applied and activated
before the pipeline is imported, so that nothing reads a stack other than the chosen one.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn import home
from churn.campaign.earlier_lists import lists_folder
from churn.errors import ChurnError
from churn.feature_store.online.address import FILE
from churn.root import ROOT
from churn.settings.pipelines import TrainingSettings
from runner.inputs import OnBytes, require_contract_in_production
from runner.outcome import Outcome
from runner.request import PreparedRun, RunRequest, prepare_run
from runner.run_names import run_name
from stacks.kubernetes.resources import runs_in_pods, with_pod_resources

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

    from stacks.apply import AppliedStack

OnWait = Callable[[str], None]
_LOG = logging.getLogger("churn.progress")


def execute(request: RunRequest, *, on_wait: OnWait, on_bytes: OnBytes | None = None) -> Outcome:
    """Runs a request to its end and returns the outcome.

    Args:
        request: What to run.
        on_wait: Called with a few words about what is being waited for before the first step.
        on_bytes: Called with the progress of a download.

    Raises:
        InputError: name, settings, stack or data are at fault; nothing was started, or the quality
            gate refused the table.
        ChurnError: something else that has a sentence.
    """
    prepared = prepare_run(request, on_bytes)
    stack = start_stack(prepared, on_wait)
    if prepared.entry.chain:
        module, _, function = prepared.entry.chain.rpartition(".")
        outcome: Outcome = getattr(import_module(module), function)(
            request, prepared, stack, on_wait=on_wait, on_bytes=on_bytes
        )
        return outcome
    tracker = _tracker(stack, prepared) if "tracker" in prepared.entry.inputs else None
    parameters = pipeline_parameters(prepared, stack, tracker)
    _require_comparable(prepared, parameters)
    # Only now: the stack is active, and nothing below reads another one.
    from runner.read_outcome import read_outcome, save_report_pages
    from runner.remote_progress import follow_remote_run
    from runner.run_status import raise_for_status

    name = run_name(prepared.entry.name, prepared.settings)
    configured = configure_pipeline(prepared, request, stack, name)
    reports = prepared.state / "reports"
    on_wait("")
    began = time.perf_counter()
    with _naming_absent_servers(prepared, stack):
        try:
            with follow_remote_run(name, remote=runs_in_pods(stack.spec)):
                run = _run(configured, parameters)
            raise_for_status(run)
        except BaseException as error:
            # A refused table's report is worth reading: it is saved where people look for it.
            pages = save_report_pages(name, reports)
            if pages:
                error.add_note(f"report: {pages[0]}")
            raise
        seconds, tracking = time.perf_counter() - began, tracker["uri"] if tracker else None
        return read_outcome(
            run, stack=stack.name, seconds=seconds, reports=reports, tracking=tracking
        )


def start_stack(prepared: PreparedRun, on_wait: OnWait) -> AppliedStack:
    """Applies and activates the stack of a run."""
    # What this process writes beside the run, scratch files for one, goes to the same folder.
    os.environ[home.VARIABLE] = str(prepared.state)
    _say_where(prepared)
    on_wait("starting ZenML")
    from stacks.apply import activate, apply_stack
    from stacks.connectivity import require_reachable
    from stacks.kubernetes.cluster import require_cluster

    _require_tracker(prepared)
    stack = apply_stack(prepared.spec, {"state": str(prepared.state)})
    require_reachable(stack)
    require_cluster(stack.spec)
    activate(stack)
    return stack


@contextmanager
def _naming_absent_servers(prepared: PreparedRun, stack: AppliedStack) -> Iterator[None]:
    """Names a server of the stack that has gone away during the run, whatever that has broken."""
    from stacks.apply import prepare_stack
    from stacks.connectivity import require_reachable

    try:
        yield
    except ChurnError:
        raise
    except Exception:
        if prepared.spec.server:
            _require_tracker(prepared)
            prepare_stack(prepared.spec, {"state": str(prepared.state)})  # asks ZenML's server
            require_reachable(stack)
        raise


def _require_comparable(prepared: PreparedRun, parameters: dict[str, Any]) -> None:
    """Checks, before a training, that its model could be compared with the one in production."""
    if isinstance(prepared.settings, TrainingSettings):
        require_contract_in_production(prepared.settings, parameters["folders"]["bundles"])


def _say_where(prepared: PreparedRun) -> None:
    """Says which variables keep ZenML's database out of the output folder."""
    from stacks.zenml_store import named_elsewhere

    named = "" if prepared.spec.server else named_elsewhere(prepared.state)
    if named:
        sentence = f"runs and models are kept where {named} says"
        _LOG.warning(sentence, extra={"step": "zenml", "event": "warned"})


def pipeline_parameters(
    prepared: PreparedRun, stack: AppliedStack, tracker: dict[str, str] | None
) -> dict[str, Any]:
    """Returns the arguments of the pipeline function, as plain values."""
    parameters: dict[str, Any] = {
        "settings": prepared.settings.model_dump(mode="json"),
        "folders": pipeline_folders(stack, prepared),
    }
    inputs = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": dict(vars(prepared.table)) if prepared.table else None,
        "tracker": tracker and {key: tracker[key] for key in ("name", "experiment")},
        "validator": stack.validator,
    }
    return parameters | {name: inputs[name] for name in prepared.entry.inputs}


def configure_pipeline(
    prepared: PreparedRun, request: RunRequest, stack: AppliedStack, name: str
) -> Any:
    """Imports a pipeline and configures it for the stack, which must be active already."""
    from zenml.enums import ExecutionMode
    from zenml.utils.source_utils import set_custom_source_root

    from stacks.run_settings import pipeline_options
    from steps.hooks import report_failure

    _skip_torch_integration()
    # Independent of the working directory and of repositories above it.
    set_custom_source_root(str(ROOT))
    pipeline = getattr(import_module(f"pipelines.{prepared.entry.name}"), prepared.entry.name)
    options = with_pod_resources(pipeline_options(stack.spec.run, prepared.entry.name), stack.spec)
    # ZenML 0.98 forgets what it is given as `steps`, although it documents both names as equal.
    options["step_configurations"] = options.pop("steps", None)
    return pipeline.with_options(
        run_name=name,
        enable_cache=request.cache,
        execution_mode=ExecutionMode.FAIL_FAST,
        on_failure=report_failure,
        tags=_tags(prepared),
        **options,
    )


def _skip_torch_integration() -> None:
    """Keeps ZenML from importing PyTorch, if it is installed, before every run.

    ZenML 0.98 loads all installed integrations for their materializers when it compiles a pipeline. No
    artifact here is a tensor: networks are stored as ONNX, and the steps that train one import it
    themselves. 1.2 s of CPU a run; can go when ZenML loads an integration where it is used.
    """
    from zenml.integrations.pytorch import PytorchIntegration

    PytorchIntegration.activate = classmethod(lambda _cls: None)  # type: ignore[method-assign, assignment]


def _run(configured: Any, parameters: dict[str, Any]) -> PipelineRunResponse:
    from zenml.exceptions import RunInterruptedException

    try:
        run: PipelineRunResponse = configured(**parameters)
    except RunInterruptedException:
        # A step's heartbeat may notice Ctrl-C first and raise this instead.
        raise KeyboardInterrupt from None
    return run


def pipeline_folders(stack: AppliedStack, prepared: PreparedRun) -> dict[str, str]:
    """Returns where a run keeps each kind of file, and the addresses of bundle store and ledger."""
    places = stack.spec.places
    shared = Path(places.state) if places.state else prepared.state
    return {
        "downloads": str(shared / "downloads"),
        "snapshots": str(shared / "snapshots"),
        "searches": str(shared / "tuning.db"),
        "locks": str(shared / "locks"),
        "feast": str(shared / "feast"),
        "features": places.features or str(shared),
        # A file of one pod is no store that anything else could read.
        "online": places.online or ("" if places.state else f"sqlite:///{shared / FILE}"),
        "metrics": str(shared / "metrics"),
        "retention": str(_lists_folder(shared / "retention", prepared.settings)),
        "inputs": getattr(prepared.settings, "inputs", "")
        or places.inputs
        or str(shared / "inputs"),
        "bundles": places.bundles or str(prepared.state / "production"),
        "ledger": getattr(prepared.settings, "ledger", "")
        or places.ledger
        or f"sqlite:///{prepared.state / 'ledger.db'}",
    }


def _lists_folder(root: Path, settings: Any) -> Path:
    model = getattr(settings, "model", None)
    return root if model is None else lists_folder(root, model.name)


def _require_tracker(prepared: PreparedRun) -> None:
    """Checks the tracker that the stack's file has, which takes no time beside starting ZenML."""
    from stacks.requirements import require_modules
    from stacks.tracking import require_tracker, tracking_uri

    require_modules(prepared.spec)
    spec = prepared.spec.resolved({"state": str(prepared.state)})
    name, uri = spec.component_name("experiment_tracker"), tracking_uri(spec)
    if name and uri and "tracker" in prepared.entry.inputs:
        require_tracker(name, uri)


def _tracker(stack: AppliedStack, prepared: PreparedRun) -> dict[str, str] | None:
    if stack.tracker is None:
        return None
    from stacks.tracking import prepare_experiment

    experiment = prepare_experiment(stack.tracker, prepared.settings.model.name, prepared.state)
    return {"name": stack.tracker, "experiment": experiment.identity, "uri": experiment.uri}


def _tags(prepared: PreparedRun) -> list[str]:
    tags = [prepared.settings.profile]
    if prepared.table is not None:
        tags.append("bundled data" if prepared.settings.data.source == "bundled" else "own data")
    return tags
