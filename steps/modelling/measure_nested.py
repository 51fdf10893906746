"""Measures expensive recipes on the protocol's first repeat, tuned inside each training fold."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport
from churn.features.encoding import encode, encode_target
from churn.tuning.nested import nested_protocol
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def measure_nested(
    customers: Dataset,
    recipes: dict[str, Any],
    plan: dict[str, Any],
    baseline: str,
    workers: int,
) -> Annotated[ProtocolReport, Artifact.NESTED]:
    """Cross-validates on all rows; no row that judges a recipe has tuned it."""
    with step_progress("measure_nested") as progress:
        report = nested_protocol(
            candidates_from_parameters(recipes, customers.contract),
            encode(customers.frame, customers.contract),
            encode_target(customers.frame, customers.contract),
            ProtocolPlan.model_validate(plan),
            baseline=baseline,
            on_fold=progress.advance,
            workers=workers,
        )
        best = report.ranking[0]
        progress.record(
            f"{best.name}, ROC-AUC {best.metrics.roc_auc:.4f}, {report.plan.splits} splits",
            {each.name: each.metrics.roc_auc for each in report.candidates},
        )
    return report
