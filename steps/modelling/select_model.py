"""Chooses a candidate by cross-validation on the development rows."""

from typing import Annotated, Any

import numpy as np
from zenml import step

from churn.dataset import Dataset
from churn.evaluation.cross_validation import cross_validate
from churn.evaluation.plan import SelectionPlan
from churn.evaluation.protocol import summarise
from churn.evaluation.selection import Selection, choose
from churn.features.encoding import encode, encode_target, take
from churn.split import Split
from materializers.report import ReportMaterializer
from steps.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.modelling.recipes import candidates_of
from steps.progress import stage


@step(
    cache_policy=CODE_AWARE,
    output_materializers={Artifact.SELECTION: ReportMaterializer},
)
def select_model(
    customers: Dataset,
    split: Split,
    recipes: dict[str, Any],
    plan: dict[str, Any],
    baseline: str,
    workers: int,
) -> tuple[
    Annotated[Selection, Artifact.SELECTION],
    Annotated[np.ndarray, Artifact.OUT_OF_FOLD],
]:
    """Cross-validates every candidate on the development rows; the gate rows are not touched.

    Returns:
        The choice, and the chosen candidate's out-of-fold log-odds of the development rows:
        float64[d], what a decision threshold may be chosen on.
    """
    with stage("select_model") as found:
        columns = take(encode(customers.frame, customers.contract), split.development)
        target = encode_target(customers.frame, customers.contract)[split.development]
        cuts = SelectionPlan.model_validate(plan)
        scored = cross_validate(
            candidates_of(recipes, customers.contract),
            columns,
            target,
            cuts.as_protocol(),
            on_fold=found.advance,
            workers=workers,
        )
        report = summarise(scored, baseline=baseline)
        selection = choose(report)
        found(
            f"{selection.chosen}, ROC-AUC {report.result(selection.chosen).metrics.roc_auc:.4f}, "
            f"{report.plan.splits} splits",
            {"chosen": selection.chosen},
        )
    return selection, scored.mean_logit(selection.chosen)
