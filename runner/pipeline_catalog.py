"""The pipelines by name, each with a line about it; light enough for `run.py --list`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from churn.errors import InputError, did_you_mean
from churn.root import ROOT


@dataclass(frozen=True)
class PipelineEntry:
    """What the door must know of a pipeline before it is imported.

    Attributes:
        name: How `--pipeline` calls it; also its module here and its file in configs/.
        summary: What it does, in a line.
        settings: Its settings class in `churn.settings.pipelines`.
        reads_table: Whether a table is looked at before anything is started.
    """

    name: str
    summary: str
    settings: str
    reads_table: bool = False

    @property
    def configuration(self) -> Path:
        """The file with its parameters."""
        return ROOT / "configs" / f"{self.name}.yaml"

    def settings_class(self) -> Any:
        """The class that its settings are validated by."""
        return getattr(import_module("churn.settings.pipelines"), self.settings)


PIPELINES = (
    PipelineEntry(
        name="training",
        summary="From a customer table to a judged, tracked and registered model.",
        settings="TrainingSettings",
        reads_table=True,
    ),
    PipelineEntry(
        name="promotion",
        summary="Judges the staged model against the one in production; promotes it, or says why not.",
        settings="PromotionPipelineSettings",
    ),
    PipelineEntry(
        name="rollback",
        summary="Puts back the model that was in production before; dry_run=true only says which.",
        settings="RollbackSettings",
    ),
    PipelineEntry(
        name="deployment",
        summary="Serves the production version (target=local|compose|kubernetes|seldon|zenml), and proves it.",
        settings="DeploymentSettings",
    ),
)


def find_pipeline(name: str) -> PipelineEntry:
    """The pipeline of that name.

    Raises:
        InputError: there is none.
    """
    known = {entry.name: entry for entry in PIPELINES}
    if name not in known:
        near = did_you_mean(name, known)
        hint = f" Did you mean '{near}'?" if near else ""
        raise InputError(f"There is no pipeline '{name}'; known: {', '.join(known)}.{hint}")
    return known[name]
