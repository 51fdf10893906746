"""Scoring: one customer in, one answer out; deployed, it answers over HTTP.

`python -m runner.scoring_service` deploys, asks and stops it.
"""

from typing import Any

from zenml import pipeline
from zenml.config import DeploymentSettings
from zenml.config.deployment_settings import DeploymentDefaultMiddleware

from deployment.zenml_application import ScoringService
from steps.inference.score_customer import score_customer


@pipeline(
    name="scoring",
    enable_cache=False,
    # Each would cost every single answer its share; what is answered says enough.
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
    settings={
        "deployment": DeploymentSettings(
            app_title="Churn scoring",
            app_description="Who is about to leave: POST /invoke with one customer.",
            # ZenML lets every web page ask by default; a score is no page's business.
            include_default_middleware=DeploymentDefaultMiddleware.SECURE_HEADERS,
            deployment_service_class=ScoringService,
            uvicorn_kwargs={"access_log": False},
        )
    },
)
def scoring(customer: dict[str, Any]) -> Any:
    """Wires the step; a customer has every feature of the contract by name, in raw values."""
    return score_customer(customer)
