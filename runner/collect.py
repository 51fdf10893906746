"""Reads back from ZenML what a run came to, and puts its pages where people look for them."""

from __future__ import annotations

import os
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from materializers.exhibits import PAGE
from registry.artifacts import Artifact
from runner.labels import label
from runner.outcome import Outcome
from steps.progress import FINDING

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse, PipelineRunResponse

_PAGES = {
    Artifact.TRAINING_REPORT: "training",
    Artifact.MODEL_CARD: "card",
    Artifact.VALIDATION: "deepchecks",
    Artifact.VALIDATOR_REPORT: "validator",
    Artifact.QUALITY_REPORT: "quality",
    Artifact.DEPLOYMENT: "deployment",
}


def collect(
    run: PipelineRunResponse, *, stack: str, seconds: float, reports: Path, tracking: str | None
) -> Outcome:
    """The finished run as an outcome, which the run is labelled with, too.

    Args:
        run: The run.
        stack: The stack it ran on.
        seconds: How long it took.
        reports: Folder that its pages are copied into.
        tracking: Where the stack's tracker keeps the run.
    """
    from zenml.utils.dashboard_utils import get_run_url

    outputs = _outputs(run)
    found = {
        name: outputs[name].load() if name in outputs else None
        for name in (
            Artifact.TRAINING_REPORT,
            Artifact.DECISION,
            Artifact.OUTCOME,
            Artifact.VALIDATOR_REPORT,
            Artifact.DEPLOYMENT,
        )
    }
    training, decision, promotion, validated, deployment = found.values()
    version, stage = _registered(outputs, training, promotion or deployment)
    pages = keep_pages(run.name, reports)
    error = _held(decision, promotion, deployment)
    outcome = Outcome(
        pipeline=run.pipeline.name if run.pipeline else run.name,
        status="held" if error else "completed",
        stack=stack,
        run_id=str(run.id),
        run_name=run.name,
        seconds=seconds,
        model_version=version,
        stage=stage,
        metrics=training.figures if training else _figures(decision, deployment),
        artifacts={
            name: {"id": str(each.id), "version": str(each.version), "uri": each.uri}
            for name, each in outputs.items()
        },
        dashboard=get_run_url(run),
        error=error,
        report=pages[0] if pages else None,
        training=training,
        decision=decision,
        promotion=promotion,
        deployment=deployment,
        validated=validated,
        validator_page=next((page for page in pages if page.stem.endswith("-validator")), None),
        tracking=tracking,
        cached={
            name: str(step.run_metadata.get(FINDING, ""))
            for name, step in run.steps.items()
            if step.status == "cached"
        },
    )
    label(run, outcome)
    return outcome


def _held(decision: Any, promotion: Any, deployment: Any) -> str | None:
    """Why a gate, a smoke test, or a person who is waited for, holds the model; None: nothing does."""
    if decision is not None and decision.verdict != "promote":
        return str(decision.sentence)
    if promotion is not None and promotion.status == "waiting":
        return str(promotion.sentence)
    if deployment is not None and deployment.status == "rolled back":
        return str(deployment.sentence)
    return None


def _figures(decision: Any, deployment: Any) -> dict[str, float]:
    if deployment is not None:
        return dict(deployment.figures)
    gates = decision.gates if decision is not None else ()
    return {gate.name.replace(" ", "_"): gate.figure for gate in gates if isfinite(gate.figure)}


def keep_pages(run_name: str, folder: Path) -> list[Path]:
    """Copies a run's pages out of the artifact store; the training report first.

    A run that failed early has fewer, or none; one that ZenML does not know has none.
    """
    from zenml.client import Client
    from zenml.io import fileio

    found = Client().list_pipeline_runs(name=run_name, hydrate=True).items
    outputs = _outputs(found[0]) if found else {}
    kept = []
    for artifact, kind in _PAGES.items():
        page = f"{outputs[artifact].uri}/{PAGE}" if artifact in outputs else ""
        if not page or not fileio.exists(page):
            continue
        with fileio.open(page, "rb") as file:
            content = file.read()
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{run_name}-{kind}.html"
        unfinished = place.with_suffix(".part")
        unfinished.write_bytes(content)
        os.replace(unfinished, place)  # noqa: PTH105 - atomic, and says so
        kept.append(place)
    return kept


def _outputs(run: PipelineRunResponse) -> dict[str, ArtifactVersionResponse]:
    return {
        name: versions[0]
        for step in run.steps.values()
        for name, versions in step.outputs.items()
        if versions
    }


def _registered(
    outputs: dict[str, ArtifactVersionResponse], training: Any, moved: Any
) -> tuple[str | None, str | None]:
    """The version that the run is about, and the stage it is in now."""
    from zenml.client import Client

    if moved is not None and moved.version:
        model, name = moved.model, moved.version
    elif training is not None and Artifact.REGISTRATION in outputs:
        model, name = training.model_name, outputs[Artifact.REGISTRATION].load()
    else:
        return None, None
    version = Client().get_model_version(model, name)
    return str(version.name), version.stage
