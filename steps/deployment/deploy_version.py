"""Deploys the planned version."""

from typing import Annotated, Any

from zenml import step

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import deploy_request
from deployment.deploy import deploy_and_test, dry_run_record
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def deploy_version(
    plan: DeploymentPlan, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """Deploys, tests with golden rows and rolls back if they fail; a dry run changes nothing.

    Raises:
        ChurnError: nothing was changed yet, or what was changed cannot be rolled back.
    """
    with step_progress("deploy_version") as progress:
        options = DeploymentSettings.from_mapping(settings)
        request = deploy_request(options, folders, version=plan.version)
        deployment = dry_run_record(plan) if options.dry_run else deploy_and_test(plan, request)
        progress.record(deployment.sentence, {"status": deployment.status, **deployment.figures})
    return deployment
