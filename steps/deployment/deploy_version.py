"""Serves the planned version, asks it about golden rows, and takes it back where it does not pass."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.deployment.smoke import SmokeReport
from churn.errors import ChurnError
from churn.settings.pipelines import DeploymentSettings
from deployment.bundle import ensure_bundle
from deployment.choose_target import create_target, deploy_request
from deployment.smoke_client import run_smoke_test
from deployment.target import DeployRequest, Target
from materializers.deployment_materializer import DeploymentMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress

_PAUSE = 1.0  # seconds between two smoke tests


@step(enable_cache=False, output_materializers=DeploymentMaterializer)
def deploy_version(
    plan: DeploymentPlan, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """A dry run only says what would be done.

    Raises:
        ChurnError: nothing was changed yet, or what was changed cannot be taken back.
    """
    with step_progress("deploy_version") as progress:
        asked = DeploymentSettings.from_mapping(settings)
        goods = deploy_request(asked, folders, version=plan.version)
        deployment = _rehearsed(plan) if asked.dry_run else _deployed(plan, goods)
        progress.record(deployment.sentence, {"status": deployment.status, **deployment.figures})
    return deployment


def _rehearsed(plan: DeploymentPlan) -> Deployment:
    return Deployment.from_plan(
        plan,
        datetime.now(UTC),
        status="dry run",
        serving=None,
        seconds=0.0,
        actions=plan.actions,
        sentence=f"version {plan.version} would be deployed to {plan.target}, {plan.place}; "
        "nothing was changed",
    )


def _deployed(plan: DeploymentPlan, goods: DeployRequest) -> Deployment:
    began = time.perf_counter()
    target = create_target(goods)
    smoke: SmokeReport | None = None
    try:
        reason = ""
        try:
            smoke = _smoke(target, goods)
            reason = "" if smoke.passed else smoke.sentence
        except ChurnError as error:
            if not target.changed:
                raise
            reason = str(error)
        told = {
            "smoke": smoke,
            "seconds": round(time.perf_counter() - began, 3),
            "place": target.place,
            "manifests": target.manifests,
        }
        if not reason:
            target.save_state()
            return Deployment.from_plan(
                plan,
                datetime.now(UTC),
                status="deployed",
                serving=plan.version,
                actions=(*target.actions, "Asked the golden rows; all answers agree."),
                sentence=f"version {plan.version} serves on {target.place}: {smoke.sentence}"
                if smoke
                else "",
                **told,
            )
        return _taken_back(plan, target, reason, smoke_failed=smoke is not None, told=told)
    except ChurnError:
        raise
    except BaseException:
        # Ctrl-C, or something unforeseen: what served before serves again all the same.
        if target.changed:
            with suppress(ChurnError):
                target.roll_back(smoke_failed=False)
        raise
    finally:
        target.close()


def _smoke(target: Target, goods: DeployRequest) -> SmokeReport:
    asked = goods.settings.smoke
    golden, contract = ensure_bundle(goods)
    target.deploy()
    # Where a target does not tell which version it serves, only its answers do: it may still roll.
    swap_seconds = (
        asked.wait_seconds if target.probe.swap_seconds is None else target.probe.swap_seconds
    )
    until = time.monotonic() + (0 if target.probe.reports_version else swap_seconds)
    with target.base_url() as address:
        while True:
            report = run_smoke_test(
                address,
                target.probe,
                golden,
                version=goods.version,
                tolerance=asked.tolerance,
                key=goods.key,
                id_field=contract.id.name,
            )
            if report.passed or time.monotonic() > until:
                return report
            time.sleep(_PAUSE)


def _taken_back(
    plan: DeploymentPlan, target: Target, reason: str, *, smoke_failed: bool, told: dict[str, Any]
) -> Deployment:
    what = f"version {plan.version} was not deployed to {plan.target}: {reason.rstrip('.')}."
    try:
        undone = target.roll_back(smoke_failed=smoke_failed)
    except ChurnError as error:
        raise ChurnError(
            f"{what[0].upper()}{what[1:]} Taking it back failed, too: {error}"
        ) from None
    return Deployment.from_plan(
        plan,
        datetime.now(UTC),
        status="rolled back",
        serving=undone.serving,
        actions=(*target.actions, "That did not pass, so it was taken back.", undone.sentence),
        reason=reason,
        sentence=f"{what} {undone.sentence}",
        **told | {"place": target.place},
    )
