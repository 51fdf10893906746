"""Reads the outcome of a finished run back from ZenML and saves its report pages on this machine."""

from __future__ import annotations

import logging
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.durable import replace_file
from churn.errors import error_reason
from materializers.report_visualizations import PAGE
from registry.artifacts import Artifact
from runner.outcome import Outcome
from runner.run_labels import label_run
from steps.progress import FINDING

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse, PipelineRunResponse

_LOG = logging.getLogger("churn.progress")
_PAGES = {
    Artifact.TRAINING_REPORT: "training",
    Artifact.MONITORING_REPORT: "monitoring",
    Artifact.MODEL_CARD: "card",
    Artifact.FEATURES: "features",
    Artifact.VALIDATION: "deepchecks",
    Artifact.VALIDATOR_REPORT: "validator",
    Artifact.QUALITY_REPORT: "quality",
    Artifact.DEPLOYMENT: "deployment",
    Artifact.BATCH_REPORT: "batch",
    Artifact.RETENTION_REPORT: "retention",
}
_REPORTS = {
    "training": Artifact.TRAINING_REPORT,
    "decision": Artifact.DECISION,
    "promotion": Artifact.OUTCOME,
    "validated": Artifact.VALIDATOR_REPORT,
    "deployment": Artifact.DEPLOYMENT,
}
_RESULTS = (
    Artifact.FEATURES,
    Artifact.BATCH_REPORT,
    Artifact.MONITORING_REPORT,
    Artifact.RETENTION_REPORT,
)
"""Artifacts that are a `RunResult`; a pipeline has at most one of them."""


def read_outcome(
    run: PipelineRunResponse, *, stack: str, seconds: float, reports: Path, tracking: str | None
) -> Outcome:
    """Returns the outcome of a finished run, saves its pages in `reports`, and labels it."""
    from zenml.utils.dashboard_utils import get_run_url

    outputs = _outputs(run)
    loaded = _loaded(outputs)
    training, decision, deployment = loaded["training"], loaded["decision"], loaded["deployment"]
    version, stage = _registered(outputs, training, loaded["promotion"] or deployment)
    pages = save_report_pages(run.name, reports)
    error = held_reason(decision, loaded["promotion"], deployment) or unsettled(loaded["result"])
    outcome = Outcome(
        pipeline=run.pipeline.name if run.pipeline else run.name,
        status="held" if error else "completed",
        stack=stack,
        run_id=str(run.id),
        run_name=run.name,
        seconds=seconds,
        model_version=version,
        stage=stage,
        metrics=_figures(loaded),
        artifacts={
            name: {"id": str(each.id), "version": str(each.version), "uri": each.uri}
            for name, each in outputs.items()
        },
        dashboard=get_run_url(run),
        error=error,
        report=pages[0] if pages else None,
        validator_page=next((page for page in pages if page.stem.endswith("-validator")), None),
        tracking=tracking,
        cached=_cached_findings(run),
        **loaded,
    )
    label_run(run, outcome)
    return outcome


def _loaded(outputs: dict[str, ArtifactVersionResponse]) -> dict[str, Any]:
    """The reports of a run by the outcome's field; None for those that it has not."""
    loaded = {
        field: outputs[artifact].load() if artifact in outputs else None
        for field, artifact in _REPORTS.items()
    }
    result = next((outputs[name].load() for name in _RESULTS if name in outputs), None)
    return loaded | {"result": result}


def held_reason(decision: Any, promotion: Any, deployment: Any) -> str | None:
    """Returns why a gate, a smoke test or a missing approval holds the model; None if none does."""
    if decision is not None and decision.verdict != "promote":
        return str(decision.sentence)
    for record, status in ((promotion, "waiting"), (deployment, "rolled back")):
        if record is not None and record.status == status:
            return str(record.sentence)
    return None


def unsettled(result: Any) -> str | None:
    """Why a monitoring run is no success: an alarm is open, or it cannot tell; None for all others."""
    if getattr(result, "verdict", "ok") in ("alarm", "cannot tell"):
        return str(result.sentence)
    return None


def _figures(loaded: dict[str, Any]) -> dict[str, float]:
    done = loaded["training"] or loaded["deployment"] or loaded["result"]
    if done is not None:
        return dict(done.figures)
    gates = loaded["decision"].gates if loaded["decision"] is not None else ()
    return {gate.name.replace(" ", "_"): gate.figure for gate in gates if isfinite(gate.figure)}


def _cached_findings(run: PipelineRunResponse) -> dict[str, str]:
    return {
        name: str(step.run_metadata.get(FINDING, ""))
        for name, step in run.steps.items()
        if step.status == "cached"
    }


def save_report_pages(run_name: str, folder: Path) -> list[Path]:
    """Copies a run's report pages from the artifact store; the training report comes first.

    A run that failed early has fewer, or none; one that ZenML does not know has none.
    """
    from zenml.client import Client
    from zenml.io import fileio

    runs = Client().list_pipeline_runs(name=run_name, hydrate=True).items
    outputs = _outputs(runs[0]) if runs else {}
    saved = []
    for artifact, kind in _PAGES.items():
        page = f"{outputs[artifact].uri}/{PAGE}" if artifact in outputs else ""
        if not page or not fileio.exists(page):
            continue
        with fileio.open(page, "rb") as file:
            content = file.read()
        path = folder / f"{run_name}-{kind}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        except OSError as error:  # it is in the artifact store, and the run's result is worth more
            sentence = f"{path} could not be saved: {error_reason(error)}"
            _LOG.warning(sentence, extra={"step": "report", "event": "warned"})
        else:
            saved.append(path)
    return saved


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
    """Returns the model version that the run is about, and its present stage."""
    from zenml.client import Client

    if moved is not None and moved.version:
        model, name = moved.model, moved.version
    elif training is not None and Artifact.REGISTRATION in outputs:
        model, name = training.model_name, outputs[Artifact.REGISTRATION].load()
    else:
        return None, None
    version = Client().get_model_version(model, name)
    return str(version.name), version.stage
