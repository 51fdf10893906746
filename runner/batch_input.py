"""Checks what batch and monitoring runs read and write, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from churn.batch.table_output import TableOutput, is_table
from churn.contract import load_contract
from churn.data.intake.address import is_on_this_machine
from churn.data.sources import open_source
from churn.errors import InputError
from churn.root import ROOT
from churn.settings.batch_inference import BatchInferenceSettings
from churn.settings.monitoring import MonitoringSettings
from churn.writable import require_writable
from stacks.kubernetes.resources import runs_in_pods
from stacks.spec import StackSpec


def require_batch_places(settings: BatchInferenceSettings, spec: StackSpec) -> None:
    """Checks that input and output are named, can be used, and can be used where the step runs.

    Raises:
        InputError: one of them is at fault.
    """
    for name, example in (("input", "customers.parquet"), ("output", "scores")):
        if not getattr(settings, name).strip():
            raise InputError(
                f"batch_inference needs its {name}: name it with --set {name}=PATH, such as "
                f"--set {name}={example}."
            )
    if runs_in_pods(spec):
        names = ["input", "output", *(["records"] if is_table(settings.output) else [])]
        require_reachable({name: getattr(settings, name) for name in names}, spec.name)
        return
    open_source(settings.input, load_contract(ROOT / settings.data.contract), setting="input")
    if is_table(settings.output):
        TableOutput(settings.output, append=settings.append)
    elif "://" not in settings.output:
        folder = Path(settings.output).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise InputError(f"The output {folder} is a file. Name a new or an empty folder.")
        require_writable(folder, "make it writable or name another with --set output=PATH")


def require_window(settings: MonitoringSettings, spec: StackSpec) -> None:
    """Checks that a table to monitor can be used, and can be used where the step runs.

    Raises:
        InputError: it cannot.
    """
    if not settings.batch:
        return
    if runs_in_pods(spec):
        require_reachable({"batch": settings.batch}, spec.name)
    else:
        open_source(settings.batch, load_contract(ROOT / settings.data.contract), setting="batch")


def require_reachable(places: Mapping[str, str], stack: str) -> None:
    """Refuses places of this machine, by the setting that names each, for steps in containers.

    Raises:
        InputError: one is on this machine.
    """
    for name, place in places.items():
        if is_on_this_machine(place):
            raise InputError(
                f"Stack '{stack}' runs its steps in containers, whose files nobody else sees: "
                f"{name}={place} would be read or written there. Name a bucket, such as "
                f"--set {name}=s3://bucket/{name}, or a database on a server."
            )
