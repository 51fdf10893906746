"""Runs a pipeline on a stack: the one way in, for the door, the tests and whatever schedules runs.

The order matters: input is looked at before anything starts; the stack is applied and activated
before the pipeline is imported, so that nothing reads a stack that is not the chosen one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.root import ROOT
from churn.settings.settings_file import load_settings
from runner.inputs import OnBytes, TableInput, look_at_table, require_portable, require_writable
from runner.naming import run_name
from runner.outcome import Outcome
from runner.pipeline_catalog import PipelineEntry, find_pipeline
from runner.silence import hush
from stacks.kubernetes.resources import for_pods, runs_in_pods
from stacks.spec import DEFAULT_STACK, StackSpec, load_stack

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

    from stacks.apply import AppliedStack

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What somebody asks to be run.

    Attributes:
        pipeline: Its name.
        stack: The stack's name.
        config: A settings file other than the pipeline's own.
        overrides: `key=value` each.
        cache: Whether results of earlier runs may stand in.
        verbose: Whether libraries may talk.
    """

    pipeline: str
    stack: str = DEFAULT_STACK
    config: Path | None = None
    overrides: Sequence[str] = ()
    cache: bool = True
    verbose: bool = False


def execute(request: Request, *, say: Say, on_bytes: OnBytes | None = None) -> Outcome:
    """Runs what is asked for, to its end.

    Args:
        request: What to run.
        say: Told in a few words what is being waited for before the first step.
        on_bytes: Told how far a download is.

    Raises:
        InputError: name, settings, stack or data are at fault; nothing was started, or the quality
            gate refused the table.
        ChurnError: something else that has a sentence.
    """
    ready = prepare(request, on_bytes)
    say("starting ZenML")
    from stacks.apply import activate, apply_stack
    from stacks.connectivity import require_reachable
    from stacks.kubernetes.cluster import require_cluster

    stack = apply_stack(ready.spec, {"state": str(ready.state)})
    require_reachable(stack)
    require_cluster(stack.spec)
    activate(stack)
    tracker = _tracker(stack, ready) if ready.entry.reads_table else None
    parameters = pipeline_parameters(ready, stack, tracker)
    # Only now: the stack is active, and nothing below reads another one.
    from runner.collect import collect, keep_pages
    from runner.ending import require_success
    from runner.watching import watching

    name = run_name(ready.entry.name, ready.settings)
    configured = configured_pipeline(ready, request, stack, name)
    say("")
    began = time.perf_counter()
    try:
        with watching(name, elsewhere=runs_in_pods(stack.spec)):
            run = _run(configured, parameters)
        require_success(run)
    except BaseException as error:
        # A refused table's report is worth reading: it goes where people look for it.
        pages = keep_pages(name, ready.state / "reports")
        if pages:
            error.add_note(f"report: {pages[0]}")
        raise
    return collect(
        run,
        stack=stack.name,
        seconds=time.perf_counter() - began,
        reports=ready.state / "reports",
        tracking=tracker["uri"] if tracker else None,
    )


@dataclass(frozen=True)
class Prepared:
    """A request whose input was looked at; nothing is started yet.

    Attributes:
        entry: The pipeline.
        spec: The stack, its placeholders not filled in.
        settings: The pipeline's settings.
        state: The absolute output folder.
        table: The table that the pipeline reads; None where it reads none.
    """

    entry: PipelineEntry
    spec: StackSpec
    settings: Any
    state: Path
    table: TableInput | None


def prepare(request: Request, on_bytes: OnBytes | None = None) -> Prepared:
    """Looks at everything that is asked for, before anything is started.

    Raises:
        InputError: name, settings, stack or data are at fault.
    """
    entry = find_pipeline(request.pipeline)
    spec = load_stack(request.stack)
    settings = load_settings(
        entry.settings_class(), request.config or entry.configuration, request.overrides
    )
    state = ROOT / settings.output.folder
    require_writable(state)
    hush(verbose=request.verbose)
    if getattr(settings, "target", "") == "zenml" and settings.action == "deploy":
        from runner.zenml_deployment import require_deployer

        require_deployer(spec)
    if entry.reads_table and runs_in_pods(spec):
        require_portable(settings.data, root=ROOT, stack=spec.name)
    table = (
        look_at_table(settings.data, root=ROOT, downloads=state / "downloads", on_bytes=on_bytes)
        if entry.reads_table
        else None
    )
    return Prepared(entry, spec, settings, state, table)


def pipeline_parameters(
    ready: Prepared, stack: AppliedStack, tracker: dict[str, str] | None
) -> dict[str, Any]:
    """What the pipeline is called with, as plain values."""
    parameters: dict[str, Any] = {
        "settings": ready.settings.model_dump(mode="json"),
        "folders": _folders(stack, ready),
    }
    if ready.table is not None:
        parameters["data"] = dict(vars(ready.table))
        parameters["tracker"] = tracker and {
            "name": tracker["name"],
            "experiment": tracker["experiment"],
        }
        parameters["validator"] = stack.validator
    return parameters


def configured_pipeline(ready: Prepared, request: Request, stack: AppliedStack, name: str) -> Any:
    """The pipeline, imported and configured for the stack, which must be the active one by now."""
    from zenml.enums import ExecutionMode
    from zenml.utils.source_utils import set_custom_source_root

    from stacks.run_settings import pipeline_options
    from steps.hooks import report_failure

    _leave_torch_alone()
    # Wherever the command was typed, and whatever repositories lie above it.
    set_custom_source_root(str(ROOT))
    built = getattr(import_module(f"pipelines.{ready.entry.name}"), ready.entry.name)
    options = for_pods(pipeline_options(stack.spec.run, ready.entry.name), stack.spec)
    steps = options.pop("steps", None)
    configured = built.with_options(
        run_name=name,
        enable_cache=request.cache,
        execution_mode=ExecutionMode.FAIL_FAST,
        on_failure=report_failure,
        tags=_tags(ready),
        **options,
    )
    if steps:
        # ZenML 0.98 drops what `with_options(steps=...)` is given: it looks for another name.
        configured._run_args["steps"] = steps
    return configured


def _leave_torch_alone() -> None:
    """Keeps ZenML from importing PyTorch, where it is installed, before every run.

    ZenML 0.98 loads all installed integrations for their materializers when it compiles a pipeline. No
    artifact here is a tensor: networks travel as ONNX, and the steps that train one import it
    themselves. 1.2 s of CPU a run; can go when ZenML loads an integration where it is used.
    """
    from zenml.integrations.pytorch import PytorchIntegration

    PytorchIntegration.activate = classmethod(lambda _cls: None)


def _run(configured: Any, parameters: dict[str, Any]) -> PipelineRunResponse:
    from zenml.exceptions import RunInterruptedException

    try:
        run: PipelineRunResponse = configured(**parameters)
    except RunInterruptedException:
        # A step's heartbeat may notice Ctrl-C first and give it another name.
        raise KeyboardInterrupt from None
    return run


def _folders(stack: AppliedStack, ready: Prepared) -> dict[str, str]:
    places = stack.spec.places
    passing = Path(places.state) if places.state else ready.state
    return {
        "downloads": str(passing / "downloads"),
        "snapshots": str(passing / "snapshots"),
        "searches": str(passing / "tuning.db"),
        "bundles": places.bundles or str(ready.state / "production"),
        "ledger": getattr(ready.settings, "ledger", "")
        or places.ledger
        or f"sqlite:///{ready.state / 'ledger.db'}",
    }


def _tracker(stack: AppliedStack, ready: Prepared) -> dict[str, str] | None:
    if stack.tracker is None:
        return None
    from stacks.tracking import prepare_experiment

    experiment = prepare_experiment(stack.tracker, ready.settings.model.name, ready.state)
    return {"name": stack.tracker, "experiment": experiment.identity, "uri": experiment.uri}


def _tags(ready: Prepared) -> list[str]:
    tags = [ready.settings.profile]
    if ready.entry.reads_table:
        tags.append("bundled data" if ready.settings.data.source == "bundled" else "own data")
    return tags
