"""ZenML's deployment service, made fit for one customer at a time.

A customer that the contract does not allow is answered 422 before a run begins; ZenML alone would
answer 200 and keep a failed run. And the list of installed packages, which ZenML has `pip` make
anew for every run, is made once: nothing is installed while a process serves.
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

_packages = cache(Environment.get_python_packages)


class ScoringService(PipelineDeploymentService):
    """Named in the deployment settings of `pipelines.scoring`."""

    def initialize(self) -> None:
        """Loads the scorer, through the pipeline's hook, and lists the packages."""
        cast(Any, Environment).get_python_packages = staticmethod(_packages)
        super().initialize()

    def execute_pipeline(
        self, request: BaseDeploymentInvocationRequest
    ) -> BaseDeploymentInvocationResponse:
        """Runs the pipeline for one customer.

        Raises:
            HTTPException: 422, the contract does not allow the customer.
        """
        customer = cast(Any, request.parameters).customer
        try:
            cast(ProductionScorer, get_or_create_run_context().state).answer(customer)
        except FieldError as error:
            raise HTTPException(422, str(error)) from None
        return super().execute_pipeline(request)
