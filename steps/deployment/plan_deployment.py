"""Plans the deployment of the version in production."""

from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages

from churn.deployment.deployment_record import DeploymentPlan
from churn.errors import InputError
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import deploy_request
from deployment.deploy import plan_request
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def plan_deployment(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[DeploymentPlan, Artifact.DEPLOYMENT_PLAN]:
    """Checks the target and lists what would be done; changes nothing.

    Raises:
        InputError: nothing is in production, or the target lacks something.
        ChurnError: the target does not answer.
    """
    with step_progress("plan_deployment") as progress:
        options = DeploymentSettings.from_mapping(settings)
        version = find_version(options.model.name, ModelStages.PRODUCTION)
        if version is None:
            raise InputError(
                f"Model '{options.model.name}' has no version in production to deploy; promote one "
                "with run.py --pipeline promotion first."
            )
        plan = plan_request(deploy_request(options, folders, version=str(version.name)))
        progress.record(plan.sentence, {"version": plan.version, "target": plan.target})
    return plan
