"""Creates the target that the settings name, and the request that it serves."""

import os
from pathlib import Path

from churn.deployment.deployment_settings import TargetName
from churn.home import home
from churn.scoring.bundle import address, store_of_model
from churn.settings.pipelines import DeploymentSettings
from deployment.compose import ComposeTarget
from deployment.kubernetes import KubernetesTarget
from deployment.local import LocalTarget
from deployment.seldon import SeldonTarget
from deployment.target import DeployRequest, Target
from deployment.zenml import ZenmlTarget

_TARGETS: dict[TargetName, type[Target]] = {
    "local": LocalTarget,
    "compose": ComposeTarget,
    "kubernetes": KubernetesTarget,
    "seldon": SeldonTarget,
    "zenml": ZenmlTarget,
}


def deploy_request(
    settings: DeploymentSettings, folders: dict[str, str], *, version: str
) -> DeployRequest:
    """Returns what to serve.

    Args:
        settings: Settings of the deployment pipeline.
        folders: Addresses of the stores of all models (`bundles`) and of the ledger (`ledger`).
        version: Version of the model.
    """
    return DeployRequest(
        model=settings.model.name,
        version=version,
        store=store_of_model(address(folders["bundles"]), settings.model.name),
        ledger=folders["ledger"],
        state=state_folder(settings),
        settings=settings,
        key=os.environ.get(settings.smoke.key_variable) or None,
    )


def create_target(request: DeployRequest) -> Target:
    """Returns the target; nothing is changed yet."""
    return _TARGETS[request.settings.target](request)


def state_folder(settings: DeploymentSettings) -> Path:
    """Returns the folder where targets keep what they need to find what they started."""
    return home(settings.output.folder) / "deployment"
