"""Chooses a candidate by its out-of-fold scores."""

from typing import Annotated, Any

from zenml import step

from churn.evaluation.cross_validation import OutOfFold
from churn.evaluation.plan import SelectionPlan
from churn.evaluation.protocol import summarise_folds
from churn.evaluation.selection import Selection, select_candidate
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def select_model(
    out_of_fold: OutOfFold, baseline: str, plan: dict[str, Any]
) -> Annotated[Selection, Artifact.SELECTION]:
    """Chooses by the rule of the selection's settings."""
    with step_progress("select_model") as progress:
        report = summarise_folds(out_of_fold, baseline=baseline)
        selection = select_candidate(report, SelectionPlan.model_validate(plan))
        progress.record(
            f"{selection.chosen}, ROC-AUC {report.result(selection.chosen).metrics.roc_auc:.4f}, "
            f"{report.plan.splits} splits",
            {"chosen": selection.chosen},
        )
    return selection
