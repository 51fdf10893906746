"""Cross-validates every candidate on the development rows."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.cross_validation import OutOfFold, cross_validate
from churn.evaluation.plan import SelectionPlan
from churn.features.encoding import encode, encode_target, take
from materializers.out_of_fold_materializer import OutOfFoldMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=OutOfFoldMaterializer)
def score_candidates(
    customers: Dataset, split: Split, recipes: dict[str, Any], plan: dict[str, Any], workers: int
) -> Annotated[OutOfFold, Artifact.OUT_OF_FOLD]:
    """Scores each development row by models that have not seen it; gate rows are not touched."""
    with step_progress("score_candidates") as progress:
        columns = take(encode(customers.frame, customers.contract), split.development)
        target = encode_target(customers.frame, customers.contract)[split.development]
        scored = cross_validate(
            candidates_from_parameters(recipes, customers.contract),
            columns,
            target,
            SelectionPlan.model_validate(plan).as_protocol(),
            on_fold=progress.advance,
            workers=workers,
        )
        progress.record(f"{len(scored.folds[0].logits)} candidates, {scored.plan.splits} splits")
    return scored
