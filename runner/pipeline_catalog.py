"""Pipelines by name, with what the runner needs to know before it imports one.

Light enough for `run.py --list`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from churn.errors import InputError, did_you_mean
from churn.root import ROOT

PipelineInput = Literal["began", "data", "tracker", "validator"]


@dataclass(frozen=True)
class PipelineEntry:
    """Declaration of a pipeline.

    Attributes:
        name: Name for `--pipeline`; also its module in pipelines/ and its file in configs/.
        summary: Purpose of the pipeline in one line.
        settings: Dotted name of its settings class.
        inputs: Parameters that it takes besides `settings` and `folders`. `data` is the customer
            table, which is read and checked before the run; `began` is the moment of the run, which no
            step takes anew; `tracker` and `validator` are the stack's experiment tracker and data validator.
        preflight: Dotted names of checks that run before anything is started. Each takes the
            settings and the stack's `StackSpec`, and raises an InputError.
        chain: Dotted name of a function that runs other pipelines one after another; empty for a
            pipeline of its own, in pipelines/.
    """

    name: str
    summary: str
    settings: str
    inputs: tuple[PipelineInput, ...] = ()
    preflight: tuple[str, ...] = ()
    chain: str = ""

    @property
    def configuration(self) -> Path:
        """The file with its settings."""
        return ROOT / "configs" / f"{self.name}.yaml"

    def settings_class(self) -> Any:
        """Returns the class that validates its settings."""
        module, _, name = self.settings.rpartition(".")
        return getattr(import_module(module), name)


PIPELINES = (
    PipelineEntry(
        name="training",
        summary="From a customer table to a judged, tracked and registered model.",
        settings="churn.settings.pipelines.TrainingSettings",
        inputs=("data", "tracker", "validator"),
        preflight=("runner.inputs.require_portable_table",),
    ),
    PipelineEntry(
        name="features",
        summary="From a customer table to versioned features with provenance, and the feature store.",
        settings="churn.settings.features.FeaturesSettings",
        inputs=("data",),
        preflight=("runner.inputs.require_portable_features",),
    ),
    PipelineEntry(
        name="promotion",
        summary="Judges the staged model against the one in production; promotes it, or says why not.",
        settings="churn.settings.pipelines.PromotionPipelineSettings",
        preflight=("runner.inputs.require_confirmed",),
    ),
    PipelineEntry(
        name="rollback",
        summary="Puts back the model that was in production before; dry_run=true only says which.",
        settings="churn.settings.pipelines.RollbackSettings",
    ),
    PipelineEntry(
        name="deployment",
        summary="Serves the production version (target=local|compose|kubernetes|seldon|zenml), and proves it.",
        settings="churn.settings.pipelines.DeploymentSettings",
        preflight=("runner.inputs.require_zenml_deployer",),
    ),
    PipelineEntry(
        name="batch_inference",
        summary="Scores a whole table, once a customer, with the version in production.",
        settings="churn.settings.batch_inference.BatchInferenceSettings",
        preflight=("runner.batch_input.require_batch_places",),
    ),
    PipelineEntry(
        name="monitoring",
        summary="Whether the customers of now still look like the training rows: ok, watch, alarm or cannot tell.",
        settings="churn.settings.monitoring.MonitoringSettings",
        inputs=("tracker", "validator"),
        preflight=("runner.batch_input.require_window",),
    ),
    PipelineEntry(
        name="retraining",
        summary="From a new labelled snapshot to a version in production on probation; or the champion stays.",
        settings="churn.settings.retraining.RetrainingSettings",
        chain="runner.retraining.run_retraining",
    ),
    PipelineEntry(
        name="retention",
        summary="From scores to decisions: what customers are worth, cohorts, offers, and a call list.",
        settings="churn.settings.retention.RetentionSettings",
        inputs=("began", "data"),
        preflight=("runner.retention_input.require_retention_places",),
    ),
)


def find_pipeline(name: str) -> PipelineEntry:
    """Returns the pipeline of that name.

    Raises:
        InputError: there is none.
    """
    known = {entry.name: entry for entry in PIPELINES}
    if name not in known:
        near = did_you_mean(name, known)
        hint = f" Did you mean '{near}'?" if near else ""
        raise InputError(f"There is no pipeline '{name}'; known: {', '.join(known)}.{hint}")
    return known[name]
