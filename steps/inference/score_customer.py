"""Scores one customer with the model in production."""

from typing import Annotated, Any

from zenml import step

from churn.errors import ChurnError
from deployment.production_scorer import ProductionScorer
from registry.artifacts import Artifact
from registry.step_context import step_context


@step(enable_cache=False)
def score_customer(customer: dict[str, Any]) -> Annotated[dict[str, Any], Artifact.SCORE]:
    """Returns the answer of POST /v1/score; the id of the run is the id of the prediction.

    Raises:
        FieldError: the contract does not allow the customer.
        ChurnError: no scorer is loaded, because this is not a deployed pipeline.
    """
    context = step_context()
    scorer = context.pipeline_state if context is not None else None
    if context is None or not isinstance(scorer, ProductionScorer):
        raise ChurnError(
            "score_customer answers where its pipeline is deployed, with the scorer that is loaded "
            "there; deploy it with python -m runner.scoring_service deploy."
        )
    return {"prediction_id": str(context.pipeline_run.id), **scorer.answer(customer)}
