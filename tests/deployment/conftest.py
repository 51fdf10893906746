"""Two small models in a store, steps called as ZenML calls them, and fake programs.

What serves is real: the service in a process of its own, called over HTTP. `docker` and `kubectl`
are fakes that record their commands, since there is neither an engine nor a cluster here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.fake_program import FakeProgram, fake_on_path
from tests.servers.process import free_port
from tests.servers.published import published_store, trained
from tests.steps.fake_control_plane import FakeControlPlane
from tools.fetch_kubectl import kubectl

__all__ = ["published_store", "trained"]

HERE = Path(__file__).parent
MODEL = "telco-churn"


@dataclass
class Deployer:
    """Deploys from a store of its own.

    Attributes:
        store: the model's bundle store, that promotion publishes to.
        output: output folder.
        port: a free port.
        control_plane: has versions 1 and 2, the first in production.
    """

    store: Path
    output: Path
    port: int
    control_plane: FakeControlPlane

    def promote(self, version: str) -> None:
        """Publishes a version and puts it into production, as the promotion pipeline does."""
        from churn.scoring.bundle import publish

        publish(self.store, version)
        self.control_plane.find_version(MODEL, version).set_stage("production", force=True)

    def unpublish(self) -> None:
        """Takes the store's pointer away, as if the store were new."""
        (self.store / "current.json").unlink()

    def settings(self, *overrides: str) -> dict[str, Any]:
        from churn.settings.business_settings import follow_contract
        from churn.settings.pipelines import DeploymentSettings
        from churn.settings.settings_file import load_settings

        root = HERE.parents[1]
        file = root / "configs" / "deployment.yaml"
        own = (f"output.folder={self.output}", f"local.port={self.port}", "smoke.wait_seconds=60")
        settings = load_settings(DeploymentSettings, file, [*own, *overrides])
        return follow_contract(settings, root).model_dump(mode="json")

    @property
    def folders(self) -> dict[str, str]:
        return {
            "bundles": str(self.store.parent),
            "ledger": f"sqlite:///{self.output / 'ledger.db'}",
        }

    def deploy(self, *overrides: str):
        """Runs the pipeline's first two steps."""
        from steps.deployment.deploy_version import deploy_version
        from steps.deployment.plan_deployment import plan_deployment

        settings = self.settings(*overrides)
        plan = plan_deployment.entrypoint(settings, self.folders)
        return deploy_version.entrypoint(plan, settings, self.folders)

    def stop(self, *overrides: str):
        from steps.deployment.stop_service import stop_service

        return stop_service.entrypoint(self.settings(*overrides))

    @property
    def process(self):
        """The service that a deployment has started; None where none runs."""
        from deployment.local_process import find_process

        return find_process(self.output / "deployment" / "local")


@contextmanager
def create_deployer(published_store: Path, folder: Path) -> Iterator[Deployer]:
    """Version 1 is in production; whatever was started is stopped at the end."""
    from registry import control_plane

    store = Path(shutil.copytree(published_store, folder / "production" / MODEL))
    versions = FakeControlPlane()
    for _ in range(2):
        versions.create_version({"name": MODEL}, {}, None)
    made = Deployer(store, folder / "out", free_port(), versions)
    versions.find_version(MODEL, "1").set_stage("production", force=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CHURN_")]:
            patch.delenv(name)
        patch.setenv("CHURN_POLL_SECONDS", "0.1")
        patch.setattr(control_plane, "ControlPlane", lambda: versions)
        yield made
        if made.process is not None:
            made.process.stop()


@pytest.fixture
def deployer(published_store, tmp_path):
    """A deployer of the test's own."""
    with create_deployer(published_store, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared_deployer(published_store, tmp_path_factory):
    """A deployer that the tests of a file share, one after another."""
    with create_deployer(published_store, tmp_path_factory.mktemp("deployer")) as made:
        yield made


@pytest.fixture
def fake(tmp_path) -> Iterator[Callable[[str], FakeProgram]]:
    """Puts the fake of a program first on the PATH, by the program's name."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(fake_on_path(name, tmp_path))


@pytest.fixture(scope="session")
def real_kubectl() -> str:
    """Path of the real client, which renders without a cluster."""
    return str(kubectl())
