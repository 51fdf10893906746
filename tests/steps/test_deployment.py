"""From the production version to a record of who serves it; what really serves has tests of its own."""

from __future__ import annotations

import shutil
import socket

import pytest

from churn.deployment.deployment_record import Deployment
from churn.errors import InputError
from churn.ledger.deployments import DeploymentLedger
from tests.steps.conftest import MODEL


@pytest.fixture
def folders(published, tmp_path):
    store = shutil.copytree(published, tmp_path / "production" / MODEL)
    return {"bundles": str(store.parent), "ledger": f"sqlite:///{tmp_path / 'ledger.db'}"}


@pytest.fixture
def dry_run_settings(tmp_path):
    """The deployment pipeline's settings: a rehearsal on a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        "profile": "demo",
        "model": {"name": MODEL},
        "output": {"folder": str(tmp_path)},
        "dry_run": True,
        "local": {"port": port},
    }


@pytest.fixture
def in_production(control_plane):
    """Version 1 of the model is in production."""
    version = control_plane.create_version({"name": MODEL}, {}, None)
    version.set_stage("production", force=True)
    return version


def test_plan_and_deploy_version_say_what_would_be_done(
    in_production, dry_run_settings, folders, tmp_path
):
    from steps.deployment.deploy_version import deploy_version
    from steps.deployment.plan_deployment import plan_deployment

    plan = plan_deployment.entrypoint(dry_run_settings, folders)
    deployment = deploy_version.entrypoint(plan, dry_run_settings, folders)

    assert (plan.model, plan.version, plan.target) == (MODEL, "1", "local")
    assert deployment.status == "dry run"
    assert deployment.actions == plan.actions
    assert any("python -m service.api" in action for action in plan.actions)
    assert not (tmp_path / "deployment").exists()


def test_plan_deployment_refuses_where_nothing_is_in_production(
    control_plane, dry_run_settings, folders
):
    from steps.deployment.plan_deployment import plan_deployment

    with pytest.raises(InputError, match="no version in production to deploy"):
        plan_deployment.entrypoint(dry_run_settings, folders)


def test_record_deployment_reports_version_and_ledger(in_production, dry_run_settings, folders):
    from datetime import UTC, datetime

    from steps.deployment.plan_deployment import plan_deployment
    from steps.deployment.record_deployment import record_deployment

    plan = plan_deployment.entrypoint(dry_run_settings, folders)
    done = Deployment.from_plan(
        plan, datetime.now(UTC), status="deployed", serving="1", seconds=1.0, actions=(),
        sentence="version 1 serves",
    )  # fmt: skip

    name = record_deployment.entrypoint(done, folders)

    assert in_production.run_metadata[name]["serving"] == "1"
    with DeploymentLedger(folders["ledger"]) as ledger:
        assert ledger.deployments(MODEL) == [done]


def test_stop_service_has_nothing_to_stop_where_nothing_was_started(dry_run_settings):
    from steps.deployment.stop_service import stop_service

    stopped = stop_service.entrypoint({**dry_run_settings, "action": "stop", "dry_run": False})

    assert (stopped.status, stopped.serving) == ("stopped", None)
    assert "no service runs" in stopped.sentence
