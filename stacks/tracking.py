"""Creates a stack's MLflow experiment, with its files in the state folder.

MLflow would put the files of a database-backed experiment into `mlruns/` of the working directory;
so the experiment is created here, with a folder of its own, before a step opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from churn.errors import ChurnError, InputError, error_reason

_LOCAL = ("sqlite:", "file:")
_UNAUTHORIZED = (401, 403)
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 30.0


@dataclass(frozen=True)
class Experiment:
    """An experiment of the tracking server.

    Attributes:
        name: Its name.
        identity: Id and time of creation; changes when the database was deleted.
        uri: Tracking URI.
    """

    name: str
    identity: str
    uri: str


def prepare_experiment(tracker: str, name: str, state: Path) -> Experiment:
    """Returns the experiment; creates it where it is missing.

    Args:
        tracker: Name of a registered MLflow experiment tracker.
        name: Name of the experiment.
        state: Absolute folder for the files of a tracker on this machine; a server keeps its own.

    Raises:
        ChurnError: the tracking database or server does not answer.
        InputError: it refuses the credentials.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack import StackComponent

    model = Client().get_stack_component(
        StackComponentType.EXPERIMENT_TRACKER, tracker, allow_name_prefix_match=False
    )
    component: Any = StackComponent.from_model(model)
    uri = str(component.get_tracking_uri())
    what = f"The experiment tracker '{tracker}' at {_without_password(uri)}"
    require_answer(what, uri)
    component.configure_mlflow()  # its credentials, out of ZenML's secret store
    place = (state / "mlflow-artifacts" / name).as_uri() if uri.startswith(_LOCAL) else None
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            experiment = client.get_experiment(client.create_experiment(name, place))
        elif experiment.lifecycle_stage != "active":
            client.restore_experiment(experiment.experiment_id)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = error_reason(error, longest=200)
        if any(f"error code {code}" in reason for code in _UNAUTHORIZED):
            raise InputError(
                f"{what} refuses the credentials; correct its user, or its password in ZenML's "
                "secret store."
            ) from error
        raise _no_answer(what, reason) from error
    return Experiment(name, f"{experiment.experiment_id}@{experiment.creation_time}", uri)


def require_answer(what: str, uri: str) -> None:
    """Sends a server one request: MLflow's client would retry for minutes."""
    if not uri.startswith(("http://", "https://")):
        return
    import httpx

    try:
        httpx.get(uri, timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _no_answer(what, error_reason(error)) from error


def _no_answer(what: str, reason: str) -> ChurnError:
    return ChurnError(
        f"{what} does not answer: {reason}. Start it, or use --stack local, which has no tracker."
    )


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
