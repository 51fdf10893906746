"""The target that the settings name."""

import os
from pathlib import Path

from churn.bundle import address
from churn.config import DeploymentSettings
from steps.deployment.target import Target, Wanted
from steps.root import ROOT


def wanted(settings: DeploymentSettings, folders: dict[str, str], *, version: str) -> Wanted:
    """What is to be served, from what a step is handed."""
    return Wanted(
        model=settings.model.name,
        version=version,
        store=address(folders["bundles"]),
        ledger=folders["ledger"],
        state=state_folder(settings),
        settings=settings,
        key=os.environ.get(settings.smoke.key_variable) or None,
    )


def target_of(asked: Wanted) -> Target:
    """The target, which has not done anything yet."""
    name = asked.settings.target
    if name == "local":
        from steps.deployment.local import LocalTarget

        return LocalTarget(asked)
    if name == "compose":
        from steps.deployment.compose import ComposeTarget

        return ComposeTarget(asked)
    if name == "kubernetes":
        from steps.deployment.kubernetes import KubernetesTarget

        return KubernetesTarget(asked)
    if name == "zenml":
        from steps.deployment.zenml_service import ZenmlTarget

        return ZenmlTarget(asked)
    from steps.deployment.seldon import SeldonTarget

    return SeldonTarget(asked)


def state_folder(settings: DeploymentSettings) -> Path:
    """Where targets keep what they need to find again what they started."""
    return ROOT / settings.output.folder / "deployment"
