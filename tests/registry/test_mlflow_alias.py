"""MLflow's alias follows the version in production, in a real model registry of MLflow's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from registry.mlflow_alias import (
    ALIAS,
    aliased_version,
    expected_alias,
    mlflow_client,
    remove_champion_alias,
    set_champion_alias,
)

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
    """MLflow's client, without a registered model."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)  # set by the next line, too
    mlflow.set_tracking_uri(client.tracking_uri)
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

    aliases = [set_champion_alias(registry, each) for each in (first, second, first)]

    assert aliases == ["telco-churn@champion"] * 3
    registered = registry.search_model_versions(f"name = '{MODEL}'")
    assert sorted(each.tags["zenml_version"] for each in registered) == ["1", "2"]
    champion = registry.get_model_version_by_alias(MODEL, ALIAS)
    assert champion.tags["zenml_version"] == "1"
    assert champion.run_id == first.run_metadata["tracked_run"]


def test_a_version_that_mlflow_never_saw_leaves_no_alias_to_the_old_champion(registry, tracked):
    from mlflow.exceptions import MlflowException

    set_champion_alias(registry, version("1", tracked()))

    assert set_champion_alias(registry, version("2", None)) is None

    with pytest.raises(MlflowException, match="alias champion not found"):
        registry.get_model_version_by_alias(MODEL, ALIAS)


def test_where_mlflow_knows_no_model_at_all_nothing_is_registered(registry):
    assert set_champion_alias(registry, version("1", None)) is None
    assert registry.search_registered_models() == []


def test_the_alias_names_a_version_until_it_is_removed(registry, tracked):
    assert aliased_version(registry, MODEL) is None  # there is no such model
    remove_champion_alias(registry, MODEL)

    set_champion_alias(registry, version("3", tracked()))
    assert aliased_version(registry, MODEL) == "3"

    for _ in range(2):
        remove_champion_alias(registry, MODEL)
        assert aliased_version(registry, MODEL) is None


def test_the_alias_of_a_version_that_somebody_else_registered_is_not_one_of_zenml(registry):
    registry.create_registered_model(MODEL)
    registry.create_model_version(MODEL, "file:///nowhere")
    registry.set_registered_model_alias(MODEL, ALIAS, "1")

    assert aliased_version(registry, MODEL) == "MLflow's own version 1"


def test_only_a_version_that_mlflow_knows_is_expected_to_have_the_alias(registry, tracked):
    run = tracked()
    assert expected_alias(registry, version("1", run)) == "1"
    assert expected_alias(registry, version("2", None)) is None

    set_champion_alias(registry, version("1", run))

    assert expected_alias(registry, version("1", None)) == "1"  # registered, so known


def test_without_mlflow_there_is_no_alias():
    assert mlflow_client() is None  # outside of runs
    assert expected_alias(None, version("1", "a run")) is None
    assert set_champion_alias(None, version("1", "a run")) is None
    remove_champion_alias(None, MODEL)
