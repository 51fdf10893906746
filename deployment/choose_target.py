"""Creates the target that the settings name, and the request that it serves."""

import os
from pathlib import Path

from churn.root import ROOT
from churn.scoring.bundle import address
from churn.settings.pipelines import DeploymentSettings
from deployment.target import DeployRequest, Target


def deploy_request(
    settings: DeploymentSettings, folders: dict[str, str], *, version: str
) -> DeployRequest:
    """Returns what to serve.

    Args:
        settings: Settings of the deployment pipeline.
        folders: Addresses of the bundle store (`bundles`) and of the ledger (`ledger`).
        version: Version of the model.
    """
    return DeployRequest(
        model=settings.model.name,
        version=version,
        store=address(folders["bundles"]),
        ledger=folders["ledger"],
        state=state_folder(settings),
        settings=settings,
        key=os.environ.get(settings.smoke.key_variable) or None,
    )


def create_target(request: DeployRequest) -> Target:
    """Returns the target; nothing is changed yet."""
    name = request.settings.target
    if name == "local":
        from deployment.local import LocalTarget

        return LocalTarget(request)
    if name == "compose":
        from deployment.compose import ComposeTarget

        return ComposeTarget(request)
    if name == "kubernetes":
        from deployment.kubernetes import KubernetesTarget

        return KubernetesTarget(request)
    if name == "zenml":
        from deployment.zenml import ZenmlTarget

        return ZenmlTarget(request)
    from deployment.seldon import SeldonTarget

    return SeldonTarget(request)


def state_folder(settings: DeploymentSettings) -> Path:
    """Returns the folder where targets keep what they need to find what they started."""
    return ROOT / settings.output.folder / "deployment"
