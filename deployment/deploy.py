"""Plans a deployment, carries it out, tests its answers, and rolls back if they are wrong."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.deployment.smoke import SmokeReport
from churn.errors import ChurnError
from deployment.bundle import bundle_exists, ensure_bundle
from deployment.choose_target import create_target
from deployment.smoke_client import run_smoke_test
from deployment.target import DeployRequest, Target

_PAUSE = 1.0  # seconds between two smoke tests


def plan_request(request: DeployRequest) -> DeploymentPlan:
    """Checks the target's prerequisites and lists what a deployment would do; changes nothing.

    Raises:
        InputError: the target lacks something.
        ChurnError: the target does not answer.
    """
    target = create_target(request)
    target.check_prerequisites()
    written = bundle_exists(request)
    return DeploymentPlan(
        model=request.model,
        version=request.version,
        target=request.settings.target,
        place=target.place,
        actions=(
            *(() if written else (f"Write the bundle of version {request.version}.",)),
            *target.planned_actions(),
        ),
        manifests=target.manifests,
    )


def dry_run_record(plan: DeploymentPlan) -> Deployment:
    """Returns the record of a dry run: the planned actions, none of them carried out."""
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


def deploy_and_test(plan: DeploymentPlan, request: DeployRequest) -> Deployment:
    """Deploys a version and returns the record: deployed, or rolled back to what served before.

    Raises:
        ChurnError: nothing was changed yet, or what was changed cannot be rolled back.
    """
    began = time.perf_counter()
    target = create_target(request)
    try:
        smoke, reason = _deploy(target, request)
        fields = {
            "smoke": smoke,
            "seconds": round(time.perf_counter() - began, 3),
            "place": target.place,
            "manifests": target.manifests,
        }
        if smoke is None or reason:
            return _roll_back(plan, target, reason, smoke_failed=smoke is not None, fields=fields)
        target.save_state()
        return Deployment.from_plan(
            plan,
            datetime.now(UTC),
            status="deployed",
            serving=plan.version,
            actions=(
                *target.actions,
                "Smoke test passed: all predictions agree with the golden rows.",
            ),
            sentence=f"version {plan.version} serves on {target.place}: {smoke.sentence}",
            **fields,
        )
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


def _deploy(target: Target, request: DeployRequest) -> tuple[SmokeReport | None, str]:
    """Returns the smoke test's report, None if the target does not serve; and what is wrong."""
    try:
        smoke = _smoke_test(target, request)
    except ChurnError as error:
        if not target.changed:
            raise
        return None, str(error)
    return smoke, "" if smoke.passed else smoke.sentence


def _smoke_test(target: Target, request: DeployRequest) -> SmokeReport:
    settings = request.settings.smoke
    golden, contract = ensure_bundle(request)
    target.deploy()
    # A target that does not report its version may still be rolling: only its answers show that.
    swap_seconds = target.probe.swap_seconds
    wait = settings.wait_seconds if swap_seconds is None else swap_seconds
    until = time.monotonic() + (0 if target.probe.reports_version else wait)
    with target.base_url() as url:
        while True:
            report = run_smoke_test(
                url,
                target.probe,
                golden,
                version=request.version,
                tolerance=settings.tolerance,
                key=request.key,
                id_field=contract.id.name,
            )
            if report.passed or time.monotonic() > until:
                return report
            time.sleep(_PAUSE)


def _roll_back(
    plan: DeploymentPlan, target: Target, reason: str, *, smoke_failed: bool, fields: dict[str, Any]
) -> Deployment:
    sentence = f"version {plan.version} was not deployed to {plan.target}: {reason.rstrip('.')}."
    try:
        result = target.roll_back(smoke_failed=smoke_failed)
    except ChurnError as error:
        raise ChurnError(
            f"{sentence[0].upper()}{sentence[1:]} The rollback failed, too: {error}"
        ) from None
    return Deployment.from_plan(
        plan,
        datetime.now(UTC),
        status="rolled back",
        serving=result.serving,
        actions=(
            *target.actions,
            "The version did not pass, so it was rolled back.",
            result.sentence,
        ),
        reason=reason,
        sentence=f"{sentence} {result.sentence}",
        **fields | {"place": target.place},
    )
