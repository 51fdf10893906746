"""Chooses the decision threshold on out-of-fold scores; the gate rows only judge it."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.cross_validation import OutOfFold
from churn.evaluation.selection import Selection
from churn.evaluation.threshold import ThresholdReport, judge_threshold
from churn.evaluation.threshold import choose_threshold as choose
from churn.features.encoding import encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ThresholdSettings, ValueSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def choose_threshold(
    customers: Dataset,
    split: Split,
    selection: Selection,
    out_of_fold: OutOfFold,
    model: TrainedModel,
    value: dict[str, Any],
    threshold: dict[str, Any],
) -> Annotated[ThresholdReport, Artifact.THRESHOLD]:
    """Chooses by expected profit, capacity and F-beta, then judges the choice on the gate rows."""
    with step_progress("choose_threshold") as progress:
        money = ValueSettings.model_validate(value)
        columns = encode(customers.frame, customers.contract)
        target = encode_target(customers.frame, customers.contract)
        worth = lifetime_values(columns, customers.contract, money)
        development, gate = split.development, split.gate
        chosen = choose(
            selection.chosen,
            target[development],
            out_of_fold.mean_logit(selection.chosen),
            worth[development],
            value=money,
            settings=ThresholdSettings.model_validate(threshold),
            base=customers.rows,
        )
        report = judge_threshold(
            chosen, target[gate], model.logit(take(columns, gate)), worth[gate]
        )
        progress.record(
            f"{report.threshold:.1%}, contacts {report.chosen.campaign.share:.0%}; money is assumed",
            report.figures,
        )
    return report
