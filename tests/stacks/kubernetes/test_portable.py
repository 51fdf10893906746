"""A step in a container has only the project: its parameters must work there."""

from __future__ import annotations

import shutil

import pytest

from churn.errors import InputError
from churn.settings.features import FeaturesSettings, FeatureStoreSettings
from churn.settings.pipelines import DataSettings
from runner.inputs import check_table, require_portable, require_portable_features
from stacks.kubernetes.resources import runs_in_pods, with_pod_resources
from stacks.run_settings import pipeline_options
from stacks.spec import Resources, RunSettings, load_stack


@pytest.fixture
def elsewhere(root, tmp_path):
    """The project as an image has it, in another place."""
    for folder in ("data/contracts", "data/raw"):
        shutil.copytree(root / folder, tmp_path / "app" / folder)
    return tmp_path / "app"


def test_a_contract_of_the_project_is_named_relative_to_it(root, tmp_path):
    found = check_table(DataSettings(), root=root, downloads=tmp_path)

    assert found.contract_path == "data/contracts/telco.yaml"


def test_a_contract_elsewhere_keeps_its_whole_path(root, tmp_path):
    shutil.copy(root / "data" / "contracts" / "telco.yaml", tmp_path / "mine.yaml")

    found = check_table(
        DataSettings(contract=str(tmp_path / "mine.yaml")), root=root, downloads=tmp_path
    )

    assert found.contract_path == str(tmp_path / "mine.yaml")


def test_the_step_finds_contract_and_table_where_the_project_lies_for_it(
    root, elsewhere, tmp_path, monkeypatch
):
    from steps.data import acquire_data as step

    table = check_table(DataSettings(), root=root, downloads=tmp_path)
    monkeypatch.setattr(step, "ROOT", elsewhere)
    monkeypatch.chdir(tmp_path)

    found = step.acquire_data.entrypoint(**vars(table), cache_folder=str(tmp_path))

    assert found.rows == 7043
    assert found.source.sha256 == table.fingerprint


def test_an_image_with_another_contract_is_refused(root, elsewhere, tmp_path, monkeypatch):
    from steps.data import acquire_data as step

    table = check_table(DataSettings(), root=root, downloads=tmp_path)
    place = elsewhere / "data" / "contracts" / "telco.yaml"
    terms = place.read_text(encoding="utf-8")
    place.write_text(terms.replace("psi_critical: 0.5", "psi_critical: 0.4"), encoding="utf-8")
    monkeypatch.setattr(step, "ROOT", elsewhere)

    with pytest.raises(InputError, match="build the image from the same files"):
        step.acquire_data.entrypoint(**vars(table), cache_folder=str(tmp_path))


@pytest.mark.parametrize(
    "source",
    [
        "bundled",
        "https://data.example/customers.csv",
        "s3://bucket/customers.parquet",
        "gs://bucket/customers/",
        "postgresql://analyst@db.example/shop?table=customers",
        "mysql+pymysql://db.example/shop?table=customers",
        "generated:1000?seed=7",
    ],
)
def test_a_source_that_a_container_can_reach_is_accepted(root, source):
    require_portable(DataSettings(source=source), root=root, stack="kubernetes")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"source": "customers.csv"}, "customers.csv"),
        ({"source": "/srv/me/customers.parquet"}, "/srv/me/customers.parquet"),
        ({"source": "http://localhost:8000/customers.csv"}, "http://localhost:8000"),
        ({"source": "file:///srv/me/customers.csv"}, "file:///srv/me/customers.csv"),
        ({"source": "sqlite:////srv/me/shop.db?table=customers"}, "sqlite://…"),
        ({"source": "sqlite+pysqlite:////srv/me/shop.db?table=customers"}, "sqlite+pysqlite://…"),
        ({"source": "DuckDB:////srv/me/shop.db?table=customers"}, "DuckDB://…"),
        ({"contract": "/srv/me/contract.yaml"}, "/srv/me/contract.yaml"),
        ({"contract": "../contract.yaml"}, "contract.yaml"),
    ],
)
def test_what_only_this_machine_has_is_refused_with_the_way_out(root, settings, named):
    with pytest.raises(InputError) as refused:
        require_portable(DataSettings(**settings), root=root, stack="kubernetes")

    assert named in str(refused.value)
    assert "'kubernetes'" in str(refused.value)


@pytest.mark.parametrize(
    ("store", "named"),
    [
        ({"online": "sqlite:////state/online.db"}, "store.online"),
        ({"feast": True}, "store.feast"),
    ],
)
def test_a_store_that_goes_away_with_its_pod_is_refused(store, named):
    settings = FeaturesSettings(store=FeatureStoreSettings(**store))

    with pytest.raises(InputError, match=named) as refused:
        require_portable_features(settings, load_stack("kubernetes"))
    assert "go" in str(refused.value)
    require_portable_features(settings, load_stack("local"))


def test_features_need_a_place_that_outlives_the_pods(monkeypatch):
    spec = load_stack("kubernetes")
    require_portable_features(FeaturesSettings(), spec)
    file = FeaturesSettings(data=DataSettings(source="customers.csv"))
    with pytest.raises(InputError, match=r"cannot read customers\.csv"):
        require_portable_features(file, spec)
    require_portable_features(file.model_copy(update={"as_of": "2026-11-20"}), spec)

    monkeypatch.setenv("STACK_ONLINE_URL", "redis://redis.example:6379/0")
    require_portable_features(FeaturesSettings(), spec)
    monkeypatch.setenv("STACK_ONLINE_URL", "sqlite:////state/online.db")
    with pytest.raises(InputError, match=r"store\.online"):
        require_portable_features(FeaturesSettings(), spec)
    monkeypatch.delenv("STACK_ONLINE_URL")
    for place in (None, "/srv/features", "file:///srv/features"):
        places = spec.places.model_copy(update={"features": place})
        with pytest.raises(InputError, match=r"places\.features"):
            require_portable_features(
                FeaturesSettings(), spec.model_copy(update={"places": places})
            )


def test_the_resources_of_a_step_are_set_on_its_pod():
    run = RunSettings(
        resources=Resources(cpu=0.5, memory="1GiB"),
        steps={"training": {"measure_protocol": Resources(cpu=2, memory="4GiB", gpu=1)}},
        settings={"orchestrator": {"pod_settings": {"labels": {"a": "b"}}}},
    )
    spec = load_stack("kubernetes").model_copy(update={"run": run})

    found = with_pod_resources(pipeline_options(run, "training"), spec)

    pod = found["settings"]["orchestrator"]["pod_settings"]
    heavy = found["steps"]["measure_protocol"]["settings"]["orchestrator"]["pod_settings"]
    assert pod == {
        "labels": {"a": "b"},
        "resources": {
            "requests": {"cpu": "500m", "memory": "1024Mi"},
            "limits": {"memory": "1024Mi"},
        },
    }
    assert heavy["resources"] == {
        "requests": {"cpu": "2", "memory": "4096Mi", "nvidia.com/gpu": "1"},
        "limits": {"memory": "4096Mi", "nvidia.com/gpu": "1"},
    }


def test_a_pod_runs_the_code_of_its_image_and_fetches_none():
    run = RunSettings.model_validate({"image": {"prebuilt": "registry.example/churn:1"}})
    spec = load_stack("kubernetes").model_copy(update={"run": run})

    docker = with_pod_resources(pipeline_options(run, "training"), spec)["settings"]["docker"]

    assert docker.skip_build
    assert not docker.allow_download_from_artifact_store
    assert not docker.allow_download_from_code_repository


@pytest.mark.parametrize("name", ["local", "local-mlflow", "cloud"])
def test_a_stack_without_pods_is_left_as_it_is(name):
    spec = load_stack(name)
    run = RunSettings(resources=Resources(cpu=1))

    assert not runs_in_pods(spec)
    assert with_pod_resources(pipeline_options(run, "training"), spec) == pipeline_options(
        run, "training"
    )


def test_what_it_shares_with_the_cloud_stack_is_the_same_component():
    # On one server a component of one name is one component: two files must not pull at it.
    cloud, kubernetes = load_stack("cloud"), load_stack("kubernetes")

    shared = {"artifact_store", "experiment_tracker", "data_validator", "alerter"}

    assert {kind: cloud.components[kind] for kind in shared} == {
        kind: kubernetes.components[kind] for kind in shared
    }
    assert cloud.secrets == kubernetes.secrets
    assert cloud.server == kubernetes.server


def test_generated_customers_are_no_path(root, tmp_path):
    found = check_table(DataSettings(source="generated:100?seed=7"), root=root, downloads=tmp_path)

    assert found.location == "generated:100?seed=7"
