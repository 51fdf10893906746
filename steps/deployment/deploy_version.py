"""Serves the planned version, asks it about golden rows, and takes it back where it does not pass."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step

from churn.deployment.deployment_record import Deployment, DeploymentPlan, ended
from churn.deployment.smoke import SmokeReport
from churn.errors import ChurnError
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import target_of, wanted
from deployment.shared_store import require_bundle
from deployment.smoke_client import smoke_test
from deployment.target import Target, Wanted
from materializers.deployment import DeploymentMaterializer
from registry.artifacts import Artifact
from steps.progress import stage

_PAUSE = 1.0  # seconds between two smoke tests


@step(enable_cache=False, output_materializers=DeploymentMaterializer)
def deploy_version(
    plan: DeploymentPlan, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """A dry run only says what would be done.

    Raises:
        ChurnError: nothing was changed yet, or what was changed cannot be taken back.
    """
    with stage("deploy_version") as found:
        asked = DeploymentSettings.from_mapping(settings)
        goods = wanted(asked, folders, version=plan.version)
        deployment = _rehearsed(plan) if asked.dry_run else _deployed(plan, goods)
        found(deployment.sentence, {"status": deployment.status, **deployment.figures})
    return deployment


def _rehearsed(plan: DeploymentPlan) -> Deployment:
    return ended(
        plan,
        datetime.now(UTC),
        status="dry run",
        serving=None,
        seconds=0.0,
        actions=plan.actions,
        sentence=f"version {plan.version} would be deployed to {plan.target}, {plan.place}; "
        "nothing was changed",
    )


def _deployed(plan: DeploymentPlan, goods: Wanted) -> Deployment:
    began = time.perf_counter()
    target = target_of(goods)
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
            target.keep()
            return ended(
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
        return _taken_back(plan, target, reason, judged=smoke is not None, told=told)
    except ChurnError:
        raise
    except BaseException:
        # Ctrl-C, or something unforeseen: what served before serves again all the same.
        if target.changed:
            with suppress(ChurnError):
                target.undo(judged=False)
        raise
    finally:
        target.close()


def _smoke(target: Target, goods: Wanted) -> SmokeReport:
    asked = goods.settings.smoke
    golden, contract = require_bundle(goods)
    target.start_or_refresh()
    # Where a target does not tell which version it serves, only its answers do: it may still roll.
    lag = asked.wait_seconds if target.manner.lag is None else target.manner.lag
    until = time.monotonic() + (0 if target.manner.tells_version else lag)
    with target.address() as address:
        while True:
            report = smoke_test(
                address,
                target.manner,
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
    plan: DeploymentPlan, target: Target, reason: str, *, judged: bool, told: dict[str, Any]
) -> Deployment:
    what = f"version {plan.version} was not deployed to {plan.target}: {reason.rstrip('.')}."
    try:
        undone = target.undo(judged=judged)
    except ChurnError as error:
        raise ChurnError(
            f"{what[0].upper()}{what[1:]} Taking it back failed, too: {error}"
        ) from None
    return ended(
        plan,
        datetime.now(UTC),
        status="rolled back",
        serving=undone.serving,
        actions=(*target.actions, "That did not pass, so it was taken back.", undone.sentence),
        reason=reason,
        sentence=f"{what} {undone.sentence}",
        **told | {"place": target.place},
    )
