"""The stack's MLflow registry, kept in step with the Model Control Plane by an alias."""

from typing import Any

from zenml.client import Client

from registry.step_context import in_step

ALIAS = "champion"
_VERSION_TAG = "zenml_version"


def set_champion_alias(model: str, version: str, tracked_run: str | None) -> str | None:
    """Points MLflow's alias to a version, registering it there first where that is needed.

    Args:
        model: The model's name, here and there.
        version: The version on the Model Control Plane.
        tracked_run: MLflow's id of the run that trained it.

    Returns:
        What the alias is called in MLflow; None outside of runs, on a stack without MLflow, or for
        a version that was trained on one.
    """
    client = _registry()
    if client is None:
        return None
    found = _registered(client, model, version)
    if found is None and tracked_run:
        found = _register(client, model, version, tracked_run)
    if found is None:
        # MLflow never saw this version: better no alias than one that points to the old champion.
        _drop_alias(client, model)
        return None
    client.set_registered_model_alias(model, ALIAS, found.version)
    return f"{model}@{ALIAS}"


def _registry() -> Any:
    if not in_step():
        return None
    tracker: Any = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        return None
    from mlflow import MlflowClient

    tracker.configure_mlflow()
    return MlflowClient()


def _drop_alias(client: Any, model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model_alias(model, ALIAS)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _registered(client: Any, model: str, version: str) -> Any:
    found = client.search_model_versions(
        f"name = '{model}' and tags.`{_VERSION_TAG}` = '{version}'", max_results=1
    )
    return found[0] if found else None


def _register(client: Any, model: str, version: str, tracked_run: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(model)
    except MlflowException:
        client.create_registered_model(model)
    outputs = client.get_run(tracked_run).outputs.model_outputs
    source = f"models:/{outputs[0].model_id}"
    return client.create_model_version(
        model,
        source,
        run_id=tracked_run,
        tags={_VERSION_TAG: version},
        model_id=outputs[0].model_id,
    )
