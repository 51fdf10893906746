"""Registers a trained model as a version on the Model Control Plane, once.

No step declares a `model=`: ZenML would create a version the moment such a step starts (and anew
for every cached rerun), so versions would appear that no training stands behind. Here a version is
created last, from the `Model` of the settings, when everything it links to exists.
"""

from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.selection import Selection
from churn.models.trained import TrainedModel
from churn.promotion import Decision
from churn.reports.training.training_report import TrainingReport
from registry.artifacts import Artifact
from registry.control_plane import control_plane
from registry.step_context import step_context
from steps.progress import step_progress


@step(enable_cache=False)
def register_model(
    model: TrainedModel,
    selection: Selection,
    protocol: ProtocolReport,
    evaluation: GateRowsReport,
    decision: Decision,
    report: TrainingReport,
    registration: dict[str, Any],
    tracked_run: str | None = None,
) -> Annotated[str, Artifact.REGISTRATION]:
    """Creates the model version, links what it came from, and stages it if its gates let it.

    Runs every time, and does nothing where the same model artifact is registered already: a fully
    cached rerun ends at the version that the first run made.

    Args:
        model: What was trained.
        selection: How it was chosen.
        protocol: What the protocol says of its recipe.
        evaluation: What it does on the gate rows.
        decision: What the gates make of that; only `promote` earns the stage.
        report: The report people read; linked, not read.
        registration: The `Model` settings: name, description, tags and so on.
        tracked_run: The tracker's id of this run; None on a stack without a tracker.

    Returns:
        The version's name.
    """
    with step_progress("register_model") as progress:
        version = _registered_before(registration["name"])
        if version is None:
            metadata = _metadata(model, report, evaluation, decision)
            tracked = {"tracked_run": tracked_run} if tracked_run else {}
            run = context.pipeline_run.id if (context := step_context()) else None
            version = control_plane().create(registration, metadata | tracked, run)
        # Registered before, it may stand higher already: no rerun takes a stage away.
        place = version.stage or "no stage"
        if decision.verdict != "promote":
            place = f"{place}: {decision.verdict}"
        elif version.stage not in (ModelStages.STAGING, ModelStages.PRODUCTION):
            version.set_stage(ModelStages.STAGING, force=True)
            place = ModelStages.STAGING.value
        progress.record(
            f"{registration['name']} version {version.name} ({place})",
            {"model_version": version.name, "verdict": decision.verdict},
        )
    return str(version.name)


def _registered_before(name: str) -> ModelVersionResponse | None:
    """The version that links this very model artifact, if there is one; outside of runs, none is."""
    context = step_context()
    if context is None:
        return None
    return control_plane().newest_with(context.inputs["model"][0].id, name)


def _metadata(
    model: TrainedModel, report: TrainingReport, evaluation: GateRowsReport, decision: Decision
) -> dict[str, Any]:
    result = report.figure.result
    return {
        "recipe": model.recipe,
        "protocol": result.metrics.figures,
        "gate_rows": evaluation.metrics.figures,
        "verdict": decision.verdict,
        "gates": {gate.name: gate.verdict for gate in decision.gates},
        "reasons": list(decision.reasons),
    }
