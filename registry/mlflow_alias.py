"""MLflow's model registry, whose alias `champion` follows the version in production."""

from typing import Any

from zenml.client import Client
from zenml.models import ModelVersionResponse

from registry.step_context import in_step

ALIAS = "champion"
_VERSION_TAG = "zenml_version"


def mlflow_client() -> Any:
    """Returns MLflow's client; None outside of runs, or on a stack without MLflow."""
    return stack_client() if in_step() else None


def stack_client() -> Any:
    """Returns the client of the active stack's MLflow; None on a stack without it."""
    tracker: Any = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        return None
    from mlflow import MlflowClient

    tracker.configure_mlflow()
    return MlflowClient()


def aliased_version(client: Any, model: str) -> str | None:
    """Returns ZenML's name of the version that the alias points to; None where there is no alias."""
    from mlflow.exceptions import MlflowException

    try:
        number = client.get_registered_model(model).aliases.get(ALIAS)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    if number is None:
        return None
    tags = client.get_model_version(model, number).tags
    return str(tags.get(_VERSION_TAG, f"MLflow's own version {number}"))


def expected_alias(client: Any, version: ModelVersionResponse) -> str | None:
    """Returns the version's name if the alias can point to it; None if MLflow does not know it."""
    if client is None:
        return None
    name = str(version.name)
    is_known = version.run_metadata.get("tracked_run") or _find(client, version.model.name, name)
    return name if is_known else None


def set_champion_alias(client: Any, version: ModelVersionResponse) -> str | None:
    """Points MLflow's alias to a version, which is registered there first if it is not yet.

    The version's metadata `tracked_run` is MLflow's id of the run that trained it.

    Returns:
        The alias, such as `telco-churn@champion`; None without MLflow, or for a version that was
        trained without it.
    """
    if client is None:
        return None
    model, tracked_run = version.model.name, version.run_metadata.get("tracked_run")
    registered = _find(client, model, str(version.name))
    if registered is None and tracked_run:
        registered = _register(client, model, str(version.name), str(tracked_run))
    if registered is None:
        # MLflow never saw this version: better no alias than one that points to the old champion.
        remove_champion_alias(client, model)
        return None
    client.set_registered_model_alias(model, ALIAS, registered.version)
    return f"{model}@{ALIAS}"


def remove_champion_alias(client: Any, model: str) -> None:
    """Removes the alias, where there is one."""
    if client is None:
        return
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model_alias(model, ALIAS)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _find(client: Any, model: str, version: str) -> Any:
    versions = client.search_model_versions(
        f"name = '{model}' and tags.`{_VERSION_TAG}` = '{version}'", max_results=1
    )
    return versions[0] if versions else None


def _register(client: Any, model: str, version: str, tracked_run: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(model)
    except MlflowException:
        client.create_registered_model(model)
    logged_model = client.get_run(tracked_run).outputs.model_outputs[0].model_id
    return client.create_model_version(
        model,
        f"models:/{logged_model}",
        run_id=tracked_run,
        tags={_VERSION_TAG: version},
        model_id=logged_model,
    )
