"""The scoring pipeline as an HTTP service that ZenML deploys: deploys it, and calls it.

`python -m runner.scoring_service` is its command line; docs/zenml-deployment.md has its cost, and
when to use it instead of `service.api`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.deployment.protocols import invocation_body, invocation_score
from churn.errors import ChurnError, InputError, error_reason
from churn.root import ROOT
from deployment.zenml_deployments import (
    NAME,
    PORT,
    ZenmlDeployment,
    find_deployment,
    stop_deployment,
)
from stacks.spec import DEFAULT_STACK, StackSpec, load_stack

if TYPE_CHECKING:
    from churn.scoring import GoldenRow, Scorer

_START_SECONDS = 180
_ANSWER_SECONDS = 60.0
_UNPROCESSABLE, _UNAUTHORIZED = 422, (401, 403)


def deploy_scoring(
    store: str,
    stack: str | StackSpec = DEFAULT_STACK,
    *,
    name: str = NAME,
    port: int | None = None,
    keyed: bool = False,
    state: Path,
) -> ZenmlDeployment:
    """Deploys the scoring pipeline with a stack's deployer, or replaces its deployment of that name.

    Nothing is started unless the bundle in production loads and replays its golden rows. A
    deployment that gives a golden customer another score than the bundle is stopped again.

    Args:
        store: The bundle store whose production version answers: a folder, or what fsspec reads.
        stack: The stack, by name or as read from its file.
        name: ZenML's name of the deployment.
        port: Port to listen on; None takes 8300, or any free one.
        keyed: Whether callers must send a key, which ZenML creates.
        state: This project's state folder, which stack files call `${state}`.

    Raises:
        InputError: the stack has no deployer, or is not set up here.
        BundleError: nothing is in production, or it is not fit to be served.
        ChurnError: ZenML could not start it.
    """
    spec = load_stack(stack) if isinstance(stack, str) else stack
    require_deployer(spec)
    store = store if "://" in store else str(Path(store).absolute())
    scorer, golden = _production(store)
    deployer = {"port": port or PORT, "allocate_port_if_busy": not port, "generate_auth_key": keyed}
    existing = find_deployment(name)
    if existing is not None and keyed != (existing.key is not None):
        # ZenML would keep the key that a deployment once had, or go on without one.
        stop_deployment(name)
    try:
        _start(spec, store, golden, name, deployer, state)
        deployed = get_deployment(name)
        _require_parity(deployed, scorer, golden)
    except BaseException:
        stop_deployment(name)
        raise
    return deployed


def require_deployer(spec: StackSpec) -> None:
    """Checks that a stack can deploy a pipeline.

    Raises:
        InputError: it has no deployer.
    """
    if "deployer" not in spec.components:
        raise InputError(
            f"Stack '{spec.name}' has no deployer; add `deployer: {{use: default}}` to the "
            f"components in {spec.file}, or name another with --stack."
        )


def get_deployment(name: str = NAME) -> ZenmlDeployment:
    """Returns a deployment by its name.

    Raises:
        InputError: there is none.
    """
    deployment = find_deployment(name)
    if deployment is None:
        raise InputError(
            f"ZenML has no deployment '{name}'; make it with `python -m runner.scoring_service "
            "deploy`, or name another with --name."
        )
    if not deployment.address:
        raise ChurnError(f"The deployment '{name}' has no address; deploy it again.")
    return deployment


def invoke_deployment(
    address: str, customer: Mapping[str, Any], *, key: str | None = None, keep: bool = False
) -> dict[str, Any]:
    """Scores one customer with a deployment.

    Args:
        address: Its base URL.
        customer: Every feature of the contract by name, in the contract's raw values.
        key: The key of a keyed deployment.
        keep: Whether ZenML also stores the answer as an artifact.

    Returns:
        The answer of POST /v1/score; `prediction_id` is the id of the run in ZenML.

    Raises:
        InputError: the customer or the key is refused.
        ChurnError: the deployment does not answer, or fails.
    """
    import httpx

    body = invocation_body(customer, keep=keep)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.post(
            f"{address.rstrip('/')}/invoke", json=body, headers=headers, timeout=_ANSWER_SECONDS
        )
        content = answer.json()
        if answer.status_code == _UNPROCESSABLE:
            raise InputError(_refusal(content["detail"]))
        if answer.status_code in _UNAUTHORIZED:
            raise InputError(
                f"The deployment at {address} asks for a key; hand over the one that ZenML made."
            )
        if answer.is_success:
            return invocation_score(content)
        reason = content.get("error") or f"status {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        reason = error_reason(error)
    raise ChurnError(
        f"The deployment at {address} does not answer as one ({reason}); look at `zenml deployment "
        "list`, or deploy it again."
    )


def _production(store: str) -> tuple[Scorer, GoldenRow]:
    from churn.scoring.current import read_current
    from churn.scoring.store_follower import load_version

    loaded = load_version(store, read_current(store))
    return loaded.scorer, loaded.golden[0]


def _require_parity(deployed: ZenmlDeployment, scorer: Scorer, golden: GoldenRow) -> None:
    answer = invoke_deployment(deployed.address, golden.row, key=deployed.key)
    if answer["probability"] != scorer.score_one(golden.row).probability:
        raise ChurnError(
            f"The deployment '{deployed.name}' gives a golden customer another score than the "
            "bundle in production, so it was stopped; deploy it from the checkout that trained it."
        )


def _start(
    spec: StackSpec, store: str, golden: GoldenRow, name: str, deployer: dict[str, Any], state: Path
) -> None:
    from stacks.apply import activate, apply_stack

    activate(apply_stack(spec, {"state": str(state)}))
    from zenml.config.global_config import GlobalConfiguration
    from zenml.deployers.exceptions import DeployerError

    configured = _configure(store, deployer)
    configuration = GlobalConfiguration()
    # ZenML 0.98 answers the attribute with the process's own stack, from the environment; only the
    # stored field is the user's. Can go when a deployment leaves the stored stack alone.
    chosen = configuration.__dict__["active_stack_id"]
    try:
        with _service_environment():
            configured.deploy(name, timeout=_START_SECONDS, customer=dict(golden.row))
    except DeployerError as error:
        reason = error_reason(error)
        raise ChurnError(
            f"ZenML could not deploy '{name}' on stack '{spec.name}' ({reason}); correct that and "
            "deploy it again."
        ) from error
    finally:
        # The service's process stores its own stack as the one that the user has set.
        configuration.active_stack_id = chosen


def _configure(store: str, deployer: dict[str, Any]) -> Any:
    """Imports the scoring pipeline, which needs an active stack, and configures its deployment."""
    from zenml.utils.source_utils import set_custom_source_root

    from deployment.production_scorer import load_scorer
    from pipelines.scoring import scoring

    set_custom_source_root(str(ROOT))
    return scoring.with_options(
        on_init=load_scorer,
        on_init_kwargs={"store": store},
        settings={"deployer": deployer},
        run_name="scoring-{time}-{date}",  # ZenML's list cuts its end, and has the date anyway
    )


@contextmanager
def _service_environment() -> Iterator[None]:
    """Sets what the service's process inherits, so that it finds this project and logs warnings."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    variables = {
        "PYTHONPATH": path,
        "ZENML_CUSTOM_SOURCE_ROOT": str(ROOT),
        "ZENML_LOGGING_VERBOSITY": "WARNING",
        "OMP_NUM_THREADS": "1",  # threads that wait for one row cost more than the row
    }
    before = {variable: os.environ.get(variable) for variable in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                del os.environ[variable]
            else:
                os.environ[variable] = value


def _refusal(detail: Any) -> str:
    """Returns the service's sentence; FastAPI's own refusals are a list."""
    if isinstance(detail, str):
        return detail
    first = detail[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"The request is refused at {place}: {first['msg']}. Send the contract's fields."
