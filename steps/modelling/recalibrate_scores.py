"""Finds the recalibration that the chosen recipe is served with."""

from typing import Annotated, Any

from zenml import step

from churn.evaluation.cross_validation import OutOfFold
from churn.evaluation.recalibration import Recalibration, recalibrate
from churn.evaluation.selection import Selection
from churn.retention.value_settings import ThresholdSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def recalibrate_scores(
    out_of_fold: OutOfFold, selection: Selection, threshold: dict[str, Any]
) -> Annotated[Recalibration, Artifact.RECALIBRATION]:
    """Tries corrections on the out-of-fold log-odds of the development rows."""
    with step_progress("recalibrate_scores") as progress:
        recalibration = recalibrate(
            out_of_fold.target,
            out_of_fold.mean_logit(selection.chosen),
            ThresholdSettings.model_validate(threshold),
        )
        progress.record(
            f"{recalibration.applied}, calibration error {recalibration.served.reliability.ece:.3f}",
            {"applied": recalibration.applied, **recalibration.map.model_dump()},
        )
    return recalibration
