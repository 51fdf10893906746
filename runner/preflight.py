"""Preflight checks of single pipelines, by the names that the pipeline catalog declares."""

from __future__ import annotations

from churn.root import ROOT
from churn.settings.pipelines import DeploymentSettings, TrainingSettings
from runner.inputs import require_portable
from stacks.kubernetes.resources import runs_in_pods
from stacks.spec import StackSpec


def require_portable_table(settings: TrainingSettings, spec: StackSpec) -> None:
    """Checks that steps in containers can read the table and its contract.

    Raises:
        InputError: only this machine has one of them.
    """
    if runs_in_pods(spec):
        require_portable(settings.data, root=ROOT, stack=spec.name)


def require_zenml_deployer(settings: DeploymentSettings, spec: StackSpec) -> None:
    """Checks that the stack has a deployer if ZenML is to deploy.

    Raises:
        InputError: it has none.
    """
    if settings.target == "zenml" and settings.action == "deploy":
        from runner.zenml_deployment import require_deployer

        require_deployer(spec)
