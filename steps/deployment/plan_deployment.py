"""Plans the deployment of the version in production."""

from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages

from churn.deployment.deployment_record import DeploymentPlan
from churn.errors import InputError
from churn.ledger.changes import ChangeLedger
from churn.scoring.bundle import address, store_of_model
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import deploy_request
from deployment.deploy import plan_request
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.mlflow_alias import mlflow_client
from registry.production import Production
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def plan_deployment(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[DeploymentPlan, Artifact.DEPLOYMENT_PLAN]:
    """Checks the target and lists what would be done.

    Nothing changes, except that a change of production that was broken off is finished or undone;
    not in a dry run.

    Raises:
        InputError: nothing is in production, or the target lacks something.
        ChurnError: the target does not answer.
    """
    with step_progress("plan_deployment") as progress:
        options = DeploymentSettings.from_mapping(settings)
        version, left = _version_in_production(options, folders)
        if version is None:
            raise InputError(
                f"Model '{options.model.name}' has no version in production to deploy; promote one "
                "with run.py --pipeline promotion first."
            )
        plan = plan_request(deploy_request(options, folders, version=version))
        progress.record(f"{left}{plan.sentence}", {"version": plan.version, "target": plan.target})
    return plan


def _version_in_production(
    options: DeploymentSettings, folders: dict[str, str]
) -> tuple[str | None, str]:
    """Returns the version, None if there is none, and how the places were settled that name one."""
    model, mlflow = options.model.name, mlflow_client()
    store = store_of_model(address(folders["bundles"]), model)
    with ChangeLedger(folders["ledger"]) as ledger:
        production = Production(model, store=store, ledger=ledger, mlflow=mlflow)
        if options.dry_run:
            found = production.compare()
            return (found.version, "") if found else (_staged(model), "")
        with production.settled() as found:
            return _staged(model), f"{found.sentence}; " if found else ""


def _staged(model: str) -> str | None:
    version = find_version(model, ModelStages.PRODUCTION)
    return str(version.name) if version else None
