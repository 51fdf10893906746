"""A request to run a pipeline, and its preflight: everything is checked before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from churn.errors import InputError
from churn.home import home
from churn.root import ROOT
from churn.settings.business_settings import follow_contract
from churn.settings.settings_file import load_settings
from churn.writable import require_writable
from runner.inputs import OnBytes, TableInput, check_table
from runner.pipeline_catalog import PipelineEntry, find_pipeline
from runner.silence import silence_libraries
from stacks.spec import DEFAULT_STACK, StackSpec, load_stack


@dataclass(frozen=True)
class RunRequest:
    """A request to run a pipeline on a stack.

    Attributes:
        pipeline: Name of the pipeline.
        stack: Name of the stack.
        config: A settings file to use instead of the pipeline's own.
        overrides: Settings as `key=value`, one each.
        cache: Whether results of earlier runs may be used.
        verbose: Whether libraries may log.
    """

    pipeline: str
    stack: str = DEFAULT_STACK
    config: Path | None = None
    overrides: Sequence[str] = ()
    cache: bool = True
    verbose: bool = False


@dataclass(frozen=True)
class PreparedRun:
    """A request that passed its preflight; nothing is started yet.

    Attributes:
        entry: The pipeline's catalog entry.
        spec: The stack, its placeholders not filled in.
        settings: The pipeline's settings, an object of `entry.settings_class()`.
        state: The absolute output folder.
        table: The table that the pipeline reads; None if it reads none.
    """

    entry: PipelineEntry
    spec: StackSpec
    settings: Any
    state: Path
    table: TableInput | None


def prepare_run(request: RunRequest, on_bytes: OnBytes | None = None) -> PreparedRun:
    """Checks name, settings, stack, output folder and data of a request.

    Raises:
        InputError: name, settings, stack or data are at fault.
    """
    entry = find_pipeline(request.pipeline)
    _require_own_output(entry, request.overrides)
    spec = load_stack(request.stack)
    settings = follow_contract(
        load_settings(
            entry.settings_class(), request.config or entry.configuration, request.overrides
        ),
        ROOT,
    )
    state = home(getattr(settings.output, "folder", None))  # a batch's output is where scores go
    require_writable(state, "make it writable or name another with --set output.folder=PATH")
    state.mkdir(parents=True, exist_ok=True)
    silence_libraries(verbose=request.verbose)
    for check in entry.preflight:
        module, _, name = check.rpartition(".")
        getattr(import_module(module), name)(settings, spec)
    table = (
        check_table(settings.data, root=ROOT, downloads=state / "downloads", on_bytes=on_bytes)
        if "data" in entry.inputs and getattr(settings, "reads_table", True)
        else None
    )
    return PreparedRun(entry, spec, settings, state, table)


def _require_own_output(entry: PipelineEntry, overrides: Sequence[str]) -> None:
    """Refuses the folder of a run where `output` is the place of the scores, which would replace it."""
    is_place = entry.settings_class().model_fields["output"].annotation is str
    if is_place and any(each.partition("=")[0].strip() == "output.folder" for each in overrides):
        raise InputError(
            f"{entry.name} has no setting 'output.folder', which --set names: its output is where the "
            "scores go. Name the folder of the run with the variable CHURN_HOME."
        )
