"""Finds what is in production, and looks whether the target can be deployed to."""

from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages

from churn.deployment.deployment_record import DeploymentPlan
from churn.errors import InputError
from churn.settings.pipelines import DeploymentSettings
from deployment.bundle import bundle_exists
from deployment.choose_target import create_target, deploy_request
from materializers.deployment_materializer import DeploymentMaterializer
from registry.artifacts import Artifact
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=DeploymentMaterializer)
def plan_deployment(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[DeploymentPlan, Artifact.DEPLOYMENT_PLAN]:
    """Changes nothing.

    Raises:
        InputError: nothing is in production, or the target lacks something.
        ChurnError: the target does not answer.
    """
    with step_progress("plan_deployment") as progress:
        asked = DeploymentSettings.from_mapping(settings)
        version = find_version(asked.model.name, ModelStages.PRODUCTION)
        if version is None:
            raise InputError(
                f"Model '{asked.model.name}' has no version in production to deploy; promote one "
                "with run.py --pipeline promotion first."
            )
        goods = deploy_request(asked, folders, version=str(version.name))
        target = create_target(goods)
        target.check_prerequisites()
        writing = () if bundle_exists(goods) else (f"Write the bundle of version {goods.version}.",)
        plan = DeploymentPlan(
            model=goods.model,
            version=goods.version,
            target=asked.target,
            place=target.place,
            actions=(*writing, *target.planned_actions()),
            manifests=target.manifests,
        )
        progress.record(plan.sentence, {"version": plan.version, "target": plan.target})
    return plan
