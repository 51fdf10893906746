"""Fits the chosen recipe on the development rows: the model that is judged and registered."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.selection import Selection
from churn.features.encoding import encode, encode_target, take
from churn.models.recalibrated import RecalibratedCandidate
from churn.models.trained import TrainedModel
from materializers.model_materializer import ModelMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import RecipeParameters, candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ModelMaterializer)
def train_model(
    customers: Dataset,
    split: Split,
    selection: Selection,
    recalibration: Recalibration,
    recipes: dict[str, Any],
) -> Annotated[TrainedModel, Artifact.MODEL]:
    """Fits on development rows alone, so that the gate rows can judge this very model."""
    with step_progress("train_model") as progress:
        chosen = selection.chosen
        columns = take(encode(customers.frame, customers.contract), split.development)
        target = encode_target(customers.frame, customers.contract)[split.development]
        candidate = candidates_from_parameters(recipes, customers.contract)[chosen]
        model = TrainedModel.train(
            RecalibratedCandidate(candidate, recalibration.map),
            columns,
            target,
            contract=customers.contract,
            data_sha256=customers.source.sha256,
            settings=RecipeParameters.model_validate(recipes).recipes[chosen],
        )
        progress.record(f"{chosen} on {len(target):,} development rows", {"recipe": chosen})
    return model
