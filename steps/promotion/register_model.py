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
from churn.promotion.decision import Decision
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
    """Creates the model version, links artifacts and run to it, and stages it if its gates pass.

    Runs every time, and does nothing if the same model artifact, measured by as much of the
    protocol, is registered already: a fully cached rerun ends at the version that the first run
    created.

    Returns:
        The version's name.
    """
    with step_progress("register_model") as progress:
        measured = {"profile": report.profile, "protocol_splits": report.protocol.plan.splits}
        version = _registered_before(registration["name"], measured)
        if version is None:
            metadata = measured | _metadata(model, report, evaluation, decision)
            tracked = {"tracked_run": tracked_run} if tracked_run else {}
            run = context.pipeline_run.id if (context := step_context()) else None
            version = control_plane().create_version(registration, metadata | tracked, run)
        # A version that was registered before may be in production: no rerun takes a stage away.
        stage = version.stage or "no stage"
        if decision.verdict != "promote":
            stage = f"{stage}: {decision.status}"
        elif version.stage not in (ModelStages.STAGING, ModelStages.PRODUCTION):
            version.set_stage(ModelStages.STAGING, force=True)
            stage = ModelStages.STAGING.value
        progress.record(
            f"{registration['name']} version {version.name} ({stage})",
            {"model_version": version.name, "verdict": decision.verdict},
        )
    return str(version.name)


def _registered_before(name: str, measured: dict[str, Any]) -> ModelVersionResponse | None:
    """Returns the version of this model artifact that was measured the same way; None if there is none."""
    context = step_context()
    if context is None:
        return None
    version = control_plane().newest_version_with(context.inputs["model"][0].id, name)
    same = version is not None and measured.items() <= version.run_metadata.items()
    return version if same else None


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
