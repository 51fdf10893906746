"""Scores one customer with what is in production."""

from typing import Annotated, Any, cast

from zenml import step

from churn.errors import ChurnError
from deployment.production_scorer import ProductionScorer
from registry.artifacts import Artifact
from registry.step_context import step_context


@step(enable_cache=False)
def score_customer(customer: dict[str, Any]) -> Annotated[dict[str, Any], Artifact.SCORE]:
    """The answer of POST /v1/score; the run is its record, so the run's id is the prediction's.

    Args:
        customer: Every feature of the contract by name, in the contract's raw values.

    Raises:
        FieldError: the contract does not allow the customer.
        ChurnError: nothing holds a scorer, because this is not a deployed pipeline.
    """
    context = step_context()
    if context is None:
        raise ChurnError(
            "score_customer answers where its pipeline is deployed, with the scorer that is loaded "
            "there; deploy it with python -m runner.scoring_service deploy."
        )
    scorer = cast(ProductionScorer, context.pipeline_state)
    return {"prediction_id": str(context.pipeline_run.id), **scorer.answer(customer)}
