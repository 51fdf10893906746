"""The target that the settings name."""

import os
from pathlib import Path

from churn.root import ROOT
from churn.scoring.bundle import address
from churn.settings.pipelines import DeploymentSettings
from deployment.target import DeployRequest, Target


def deploy_request(
    settings: DeploymentSettings, folders: dict[str, str], *, version: str
) -> DeployRequest:
    """What is to be served, from what a step is handed."""
    return DeployRequest(
        model=settings.model.name,
        version=version,
        store=address(folders["bundles"]),
        ledger=folders["ledger"],
        state=state_folder(settings),
        settings=settings,
        key=os.environ.get(settings.smoke.key_variable) or None,
    )


def create_target(asked: DeployRequest) -> Target:
    """The target, which has not done anything yet."""
    name = asked.settings.target
    if name == "local":
        from deployment.local import LocalTarget

        return LocalTarget(asked)
    if name == "compose":
        from deployment.compose import ComposeTarget

        return ComposeTarget(asked)
    if name == "kubernetes":
        from deployment.kubernetes import KubernetesTarget

        return KubernetesTarget(asked)
    if name == "zenml":
        from deployment.zenml import ZenmlTarget

        return ZenmlTarget(asked)
    from deployment.seldon import SeldonTarget

    return SeldonTarget(asked)


def state_folder(settings: DeploymentSettings) -> Path:
    """Where targets keep what they need to find again what they started."""
    return ROOT / settings.output.folder / "deployment"
