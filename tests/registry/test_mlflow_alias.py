"""MLflow's alias follows the version in production, in a real model registry of MLflow's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from registry import mlflow_alias
from registry.mlflow_alias import ALIAS, set_champion_alias

MODEL = "telco-churn"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("mlflow")
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    client.create_experiment("training", artifact_location=str(folder / "artifacts"))
    return client


@pytest.fixture
def registry(client, monkeypatch):
    """MLflow's client, used by the code under test; without a registered model."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)  # set by the next line, too
    mlflow.set_tracking_uri(client.tracking_uri)
    monkeypatch.setattr(mlflow_alias, "_mlflow_client", lambda: client)
    yield client
    mlflow.set_tracking_uri(None)  # any address would be created at the next call
    for registered in client.search_registered_models():
        client.delete_registered_model(registered.name)


@pytest.fixture
def tracked(client):
    """Tracks a run with a logged model and returns the id of the run."""
    from mlflow.entities import LoggedModelOutput

    def track() -> str:
        experiment = client.get_experiment_by_name("training").experiment_id
        run = client.create_run(experiment).info.run_id
        logged = client.create_logged_model(experiment, source_run_id=run)
        client.log_outputs(run, [LoggedModelOutput(logged.model_id, 0)])
        return run

    return track


def version(name: str, tracked_run: str | None) -> SimpleNamespace:
    metadata = {"tracked_run": tracked_run} if tracked_run else {}
    return SimpleNamespace(name=name, model=SimpleNamespace(name=MODEL), run_metadata=metadata)


def test_a_version_is_registered_once_and_the_alias_moves_with_production(registry, tracked):
    first, second = version("1", tracked()), version("2", tracked())

    aliases = [set_champion_alias(each) for each in (first, second, first)]

    assert aliases == ["telco-churn@champion"] * 3
    registered = registry.search_model_versions(f"name = '{MODEL}'")
    assert sorted(each.tags["zenml_version"] for each in registered) == ["1", "2"]
    champion = registry.get_model_version_by_alias(MODEL, ALIAS)
    assert champion.tags["zenml_version"] == "1"
    assert champion.run_id == first.run_metadata["tracked_run"]


def test_a_version_that_mlflow_never_saw_leaves_no_alias_to_the_old_champion(registry, tracked):
    from mlflow.exceptions import MlflowException

    set_champion_alias(version("1", tracked()))

    assert set_champion_alias(version("2", None)) is None

    with pytest.raises(MlflowException, match="alias champion not found"):
        registry.get_model_version_by_alias(MODEL, ALIAS)


def test_where_mlflow_knows_no_model_at_all_nothing_is_registered(registry):
    assert set_champion_alias(version("1", None)) is None
    assert registry.search_registered_models() == []


def test_outside_of_runs_no_alias_is_set():
    assert set_champion_alias(version("1", "a run")) is None
