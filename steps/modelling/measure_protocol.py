"""Puts a figure with its interval on every recipe, by the protocol frozen before the run."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport, run_protocol
from churn.features.encoding import encode, encode_target
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def measure_protocol(
    customers: Dataset,
    recipes: dict[str, Any],
    plan: dict[str, Any],
    baseline: str,
    frozen_recipe: str,
    workers: int,
) -> Annotated[ProtocolReport, Artifact.PROTOCOL]:
    """Cross-validates every recipe on all rows; what is fitted here is thrown away."""
    with step_progress("measure_protocol") as progress:
        report = run_protocol(
            candidates_from_parameters(recipes, customers.contract),
            encode(customers.frame, customers.contract),
            encode_target(customers.frame, customers.contract),
            ProtocolPlan.model_validate(plan),
            baseline=baseline,
            on_fold=progress.advance,
            workers=workers,
        )
        shown = {each.name: each for each in report.candidates}.get(
            frozen_recipe, report.ranking[0]
        )
        interval = shown.roc_auc_interval
        progress.record(
            f"{shown.name}, ROC-AUC {shown.metrics.roc_auc:.4f}"
            + (f" ({interval.span()})" if interval else "")
            + f", {report.plan.splits} splits",
            {"roc_auc": shown.metrics.roc_auc, "splits": report.plan.splits},
        )
    return report
