"""The scoring pipeline as an HTTP service that ZenML deploys: start it, ask it, stop it.

`python -m runner.scoring_service` is the same from a command line; docs/zenml-deployment.md
says what it costs, and when to take it rather than `service.api`.
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
_REFUSED, _KEYLESS = 422, (401, 403)


def deploy(
    store: str,
    stack: str | StackSpec = DEFAULT_STACK,
    *,
    name: str = NAME,
    port: int | None = None,
    keyed: bool = False,
    state: Path = ROOT / ".churn",
) -> ZenmlDeployment:
    """Deploys the scoring pipeline with a stack's deployer, anew where it is deployed already.

    Nothing is started unless the bundle in production loads and replays its golden rows; what was
    started and gives a golden customer another score than the bundle is stopped again.

    Args:
        store: The bundle store whose production version answers: a folder, or what fsspec reads.
        stack: The stack, by name or as read from its file.
        name: What ZenML is to call the deployment.
        port: To listen on; None takes 8300, or any free one.
        keyed: Whether callers must show a key, which ZenML makes.
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
    there = find_deployment(name)
    if there is not None and keyed != (there.key is not None):
        stop(name)  # ZenML would keep the key that a deployment once had, or go on without one
    try:
        _start(spec, store, golden, name, deployer, state)
        deployed = find(name)
        _require_parity(deployed, scorer, golden)
    except BaseException:
        stop(name)
        raise
    return deployed


def require_deployer(spec: StackSpec) -> None:
    """Looks whether a stack can deploy a pipeline.

    Raises:
        InputError: it has no deployer.
    """
    if "deployer" not in spec.components:
        raise InputError(
            f"Stack '{spec.name}' has no deployer; add `deployer: {{use: default}}` to the "
            f"components in {spec.file}, or name another with --stack."
        )


def find(name: str = NAME) -> ZenmlDeployment:
    """A deployment by its name.

    Raises:
        InputError: there is none.
    """
    found = find_deployment(name)
    if found is None:
        raise InputError(
            f"ZenML has no deployment '{name}'; make it with `python -m runner.scoring_service "
            "deploy`, or name another with --name."
        )
    if not found.address:
        raise ChurnError(f"The deployment '{name}' has no address; deploy it again.")
    return found


def invoke(
    address: str, customer: Mapping[str, Any], *, key: str | None = None, keep: bool = False
) -> dict[str, Any]:
    """Asks a deployment about one customer.

    Args:
        address: Where it listens.
        customer: Every feature of the contract by name, in the contract's raw values.
        key: What a keyed deployment asks for.
        keep: Whether ZenML stores the answer as an artifact, too.

    Returns:
        What POST /v1/score answers; `prediction_id` is the id of the run in ZenML.

    Raises:
        InputError: the customer or the key is refused.
        ChurnError: the deployment does not answer, or fails.
    """
    import httpx

    asked = invocation_body(customer, keep=keep)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.post(
            f"{address.rstrip('/')}/invoke", json=asked, headers=headers, timeout=_ANSWER_SECONDS
        )
        told = answer.json()
        if answer.status_code == _REFUSED:
            raise InputError(_refusal(told["detail"]))
        if answer.status_code in _KEYLESS:
            raise InputError(
                f"The deployment at {address} asks for a key; hand over the one that ZenML made."
            )
        if answer.is_success:
            return invocation_score(told)
        reason = told.get("error") or f"status {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        reason = error_reason(error)
    raise ChurnError(
        f"The deployment at {address} does not answer as one ({reason}); look at `zenml deployment "
        "list`, or deploy it again."
    )


def stop(name: str = NAME) -> bool:
    """Stops a deployment and forgets it; its runs stay. Tells whether there was one."""
    return stop_deployment(name)


def _production(store: str) -> tuple[Scorer, GoldenRow]:
    from churn.scoring import Scorer, bundle_folder, read_golden
    from churn.scoring.current import read_current
    from churn.scoring.remote import local_copy

    with local_copy(store) as folder:
        bundle = bundle_folder(folder, read_current(folder).version)
        return Scorer.load(folder), read_golden(bundle)[0]


def _require_parity(deployed: ZenmlDeployment, scorer: Scorer, golden: GoldenRow) -> None:
    answer = invoke(deployed.address, golden.row, key=deployed.key)
    if answer["probability"] != scorer.score_one(golden.row).probability:
        raise ChurnError(
            f"The deployment '{deployed.name}' gives a golden customer another score than the "
            "bundle in production, so it was stopped; deploy it from the checkout that trained it."
        )


def _start(
    spec: StackSpec,
    store: str,
    golden: GoldenRow,
    name: str,
    deployer: dict[str, Any],
    state: Path,
) -> None:
    from stacks.apply import activate, apply_stack

    activate(apply_stack(spec, {"state": str(state)}))
    from zenml.config.global_config import GlobalConfiguration
    from zenml.deployers.exceptions import DeployerError
    from zenml.utils.source_utils import set_custom_source_root

    from deployment.load_scorer import load_scorer
    from pipelines.scoring import scoring

    set_custom_source_root(str(ROOT))
    configured = scoring.with_options(
        on_init=load_scorer,
        on_init_kwargs={"store": store},
        settings={"deployer": deployer},
        run_name="scoring-{time}-{date}",  # ZenML's list cuts its end, and has the date anyway
    )
    settled = GlobalConfiguration()
    chosen = settled.__dict__["active_stack_id"]  # as an attribute, it would be the variable's
    try:
        with _environment_of_the_service():
            configured.deploy(name, timeout=_START_SECONDS, customer=dict(golden.row))
    except DeployerError as error:
        reason = error_reason(error)
        raise ChurnError(
            f"ZenML could not deploy '{name}' on stack '{spec.name}' ({reason}); correct that and "
            "deploy it again."
        ) from error
    finally:
        # The service's process writes its stack down as the one that the user has set.
        settled.active_stack_id = chosen


@contextmanager
def _environment_of_the_service() -> Iterator[None]:
    """What the service's process inherits: it finds this project, and says what goes wrong."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    wanted = {
        "PYTHONPATH": path,
        "ZENML_CUSTOM_SOURCE_ROOT": str(ROOT),
        "ZENML_LOGGING_VERBOSITY": "WARNING",
        "OMP_NUM_THREADS": "1",  # threads that wait for one row cost more than the row
    }
    before = {variable: os.environ.get(variable) for variable in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                del os.environ[variable]
            else:
                os.environ[variable] = value


def _refusal(detail: Any) -> str:
    """The service's sentence; FastAPI's own refusals are a list."""
    if isinstance(detail, str):
        return detail
    first = detail[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"The request is refused at {place}: {first['msg']}. Send the contract's fields."
