"""Creates a stack's MLflow experiment, with its files in the state folder.

MLflow would put the files of a database-backed experiment into `mlruns/` of the working directory;
so the experiment is created here, with a folder of its own, before a step opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from churn.errors import ChurnError, InputError, error_reason
from stacks.connectivity import get, without_password
from stacks.library_database import MLFLOW, require_database
from stacks.spec import OwnComponent, StackSpec

_LOCAL = ("sqlite:", "file:")
_UNAUTHORIZED = (401, 403)
_SQLITE = "sqlite:///"
_WITHOUT = "use --stack local, which has no tracker"
_ANOTHER = f"name another folder with --set output.folder=PATH, or {_WITHOUT}"


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
    what = _what(tracker, uri)
    require_tracker(tracker, uri)
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
        if uri.startswith(_LOCAL):
            raise ChurnError(f"{what} cannot be used: {reason}; {_ANOTHER}.") from error
        raise _no_answer(what, reason) from error
    return Experiment(name, experiment_identity(experiment), uri)


def experiment_identity(experiment: Any) -> str:
    """Returns the id and the time of creation of MLflow's experiment, which no other database has."""
    return f"{experiment.experiment_id}@{experiment.creation_time}"


def require_tracker(tracker: str, uri: str) -> None:
    """Checks the database file or the server of a tracking URI, before MLflow opens it.

    Raises:
        InputError: the file is no MLflow database of this version, or the URI is none of MLflow's.
        ChurnError: the server does not answer.
    """
    if uri.startswith(("http://", "https://")):
        try:
            get(uri)
        except ConnectionError as error:
            raise _no_answer(_what(tracker, uri), str(error)) from error
    elif uri.startswith(_SQLITE):
        require_database(MLFLOW, Path(uri.removeprefix(_SQLITE)), _ANOTHER)


def tracking_uri(spec: StackSpec) -> str | None:
    """Returns the tracking URI in a stack's file; None where it has none of its own."""
    tracker = spec.components.get("experiment_tracker")
    return str(tracker.configuration["tracking_uri"]) if isinstance(tracker, OwnComponent) else None


def _what(tracker: str, uri: str) -> str:
    return f"The experiment tracker '{tracker}' at {without_password(uri)}"


def _no_answer(what: str, reason: str) -> ChurnError:
    return ChurnError(f"{what} does not answer: {reason}. Start it, or {_WITHOUT}.")
