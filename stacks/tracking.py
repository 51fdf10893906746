"""Gets a stack's MLflow tracker ready: its experiment exists, and its files lie in the state folder.

MLflow would put the files of a database-backed experiment into `mlruns/` of whoever's working
directory; an experiment is therefore made here, with a place of its own, before a step opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from churn.errors import ChurnError

_LOCAL = ("sqlite:", "file:")


@dataclass(frozen=True)
class Experiment:
    """An experiment as the tracking server knows it.

    Attributes:
        name: What the tracking pages call it.
        identity: Id and time of creation: another one once the tracked runs were removed.
        uri: Where it is tracked.
    """

    name: str
    identity: str
    uri: str


def prepare_experiment(tracker: str, name: str, state: Path) -> Experiment:
    """Finds the experiment, or makes it.

    Args:
        tracker: Name of a registered MLflow experiment tracker.
        name: The experiment's name.
        state: Absolute folder for the files of a tracker on this machine; a server keeps its own.

    Raises:
        ChurnError: the tracking database or server does not answer.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError
    from zenml.client import Client
    from zenml.enums import StackComponentType

    component = Client().get_stack_component(
        StackComponentType.EXPERIMENT_TRACKER, tracker, allow_name_prefix_match=False
    )
    uri = str(component.configuration["tracking_uri"])
    place = (state / "mlflow-artifacts" / name).as_uri() if uri.startswith(_LOCAL) else None
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            identifier = client.create_experiment(name, artifact_location=place)
            experiment = client.get_experiment(identifier)
        elif experiment.lifecycle_stage != "active":
            client.restore_experiment(experiment.experiment_id)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ChurnError(
            f"The experiment tracker '{tracker}' at {_without_password(uri)} does not answer: "
            f"{reason}. Start it, or use --stack local, which has no tracker."
        ) from error
    return Experiment(name, f"{experiment.experiment_id}@{experiment.creation_time}", uri)


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
