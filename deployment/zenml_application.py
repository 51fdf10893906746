"""Application class of the scoring deployment: validates first, and lists the packages only once.

A customer that violates the contract gets status 422 before a run begins; ZenML alone would answer
200 and store a failed run.
"""

from functools import cache
from typing import Any, cast

from fastapi import HTTPException
from zenml.deployers.server.models import (
    BaseDeploymentInvocationRequest,
    BaseDeploymentInvocationResponse,
)
from zenml.deployers.server.service import PipelineDeploymentService
from zenml.environment import Environment
from zenml.steps.step_context import get_or_create_run_context

from churn.scoring import FieldError
from deployment.production_scorer import ProductionScorer

# ZenML 0.98 runs `pip list` for every run; nothing is installed while a process serves. The patch
# can go when ZenML caches the list itself.
_packages = cache(Environment.get_python_packages)


class ScoringService(PipelineDeploymentService):
    """Service class in the deployment settings of `pipelines.scoring`."""

    def initialize(self) -> None:
        """Caches the list of packages; loads the scorer through the pipeline's hook."""
        cast(Any, Environment).get_python_packages = staticmethod(_packages)
        super().initialize()

    def execute_pipeline(
        self, request: BaseDeploymentInvocationRequest
    ) -> BaseDeploymentInvocationResponse:
        """Runs the pipeline for one customer.

        Raises:
            HTTPException: 422, the customer violates the contract.
        """
        customer = cast(Any, request.parameters).customer
        try:
            cast(ProductionScorer, get_or_create_run_context().state).answer(customer)
        except FieldError as error:
            raise HTTPException(422, str(error)) from None
        return super().execute_pipeline(request)
