"""Runs a pipeline on a stack: the one way in, for the door, the tests and whatever schedules runs.

The order matters: input is looked at before anything starts; the stack is applied and activated
before the pipeline is imported, so that nothing reads a stack that is not the chosen one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.settings_file import load_settings
from pipelines.catalog import ROOT, PipelineEntry, find_pipeline
from pipelines.inputs import OnBytes, look_at_table, require_writable
from pipelines.outcome import Outcome
from pipelines.quiet import hush
from stacks.spec import DEFAULT_STACK, load_stack

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
    entry = find_pipeline(request.pipeline)
    spec = load_stack(request.stack)
    settings = load_settings(
        entry.settings_class(), request.config or entry.configuration, request.overrides
    )
    state = ROOT / settings.output.folder
    require_writable(state)
    hush(verbose=request.verbose)
    table = (
        look_at_table(settings.data, root=ROOT, downloads=state / "downloads", on_bytes=on_bytes)
        if entry.reads_table
        else None
    )
    say("starting ZenML")
    from stacks.apply import activate, apply_stack

    stack = apply_stack(spec, {"state": str(state)})
    activate(stack)
    tracker = _tracker(stack, settings, state) if entry.reads_table else None
    parameters: dict[str, Any] = {
        "settings": settings.model_dump(mode="json"),
        "folders": {
            "downloads": str(state / "downloads"),
            "snapshots": str(state / "snapshots"),
            "searches": str(state / "tuning.db"),
            "bundles": str(state / "production"),
            "ledger": getattr(settings, "ledger", "") or f"sqlite:///{state / 'ledger.db'}",
        },
    }
    if table is not None:
        parameters["data"] = dict(vars(table))
        parameters["tracker"] = tracker and {
            "name": tracker["name"],
            "experiment": tracker["experiment"],
        }
    # Only now: the stack is active, and nothing below reads another one.
    from pipelines.collect import collect, keep_pages

    import_module(f"pipelines.{entry.name}")
    name = _run_name(entry, settings)
    say("")
    began = time.perf_counter()
    try:
        run = _run(entry, request, name, settings, parameters)
    except BaseException as error:
        # A refused table's report is worth reading: it goes where people look for it.
        pages = keep_pages(name, state / "reports")
        if pages:
            error.add_note(f"report: {pages[0]}")
        raise
    return collect(
        run,
        stack=spec.name,
        seconds=time.perf_counter() - began,
        reports=state / "reports",
        tracking=tracker["uri"] if tracker else None,
    )


def _run(
    entry: PipelineEntry,
    request: Request,
    name: str,
    settings: Any,
    parameters: dict[str, Any],
) -> PipelineRunResponse:
    from zenml.enums import ExecutionMode
    from zenml.exceptions import RunInterruptedException
    from zenml.utils.source_utils import set_custom_source_root

    from steps.hooks import report_failure

    # Wherever the command was typed, and whatever repositories lie above it.
    set_custom_source_root(str(ROOT))
    built = getattr(import_module(f"pipelines.{entry.name}"), entry.name)
    configured = built.with_options(
        run_name=name,
        enable_cache=request.cache,
        execution_mode=ExecutionMode.FAIL_FAST,
        on_failure=report_failure,
        tags=_tags(entry, settings),
    )
    try:
        run: PipelineRunResponse = configured(**parameters)
    except RunInterruptedException:
        # A step's heartbeat may notice Ctrl-C first and give it another name.
        raise KeyboardInterrupt from None
    return run


def _tracker(stack: AppliedStack, settings: Any, state: Path) -> dict[str, str] | None:
    if stack.tracker is None:
        return None
    from stacks.tracking import prepare_experiment

    experiment = prepare_experiment(stack.tracker, settings.model.name, state)
    return {"name": stack.tracker, "experiment": experiment.identity, "uri": experiment.uri}


def _tags(entry: PipelineEntry, settings: Any) -> list[str]:
    tags = [settings.profile]
    if entry.reads_table:
        tags.append("bundled data" if settings.data.source == "bundled" else "own data")
    return tags


def _run_name(entry: PipelineEntry, settings: Any) -> str:
    profile = "" if settings.profile == "full" else f"-{settings.profile}"
    return f"{entry.name}{profile}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
