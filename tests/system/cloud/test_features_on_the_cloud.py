"""The features pipeline on the stack `cloud` for real: versions in a bucket, fields in Redis."""

from __future__ import annotations

import pytest

from churn.contract import load_contract
from churn.feature_store.online.address import open_online_store
from tests.servers import cloud_servers
from tests.servers.redis_server import running_redis
from tests.system.cloud.terminal import Terminal

__all__ = ["running_redis"]


@pytest.fixture(scope="module")
def runs(
    root, isolated_environment, postgres, bucket, zenml_server, mlflow_server, running_redis,
    tmp_path_factory,
):  # fmt: skip
    """Builds on the cloud, again, and what was built; and on `local`, with the same table."""
    folder = tmp_path_factory.mktemp("features")
    plain = {n: v for n, v in isolated_environment.items() if not n.startswith(("AWS_", "STACK_"))}
    environment = plain | cloud_servers.cloud_environment(
        zenml_server, bucket, mlflow_server.url, postgres.create("features_ledger")
    )
    environment["STACK_ONLINE_URL"] = running_redis
    terminal = Terminal(root, folder / "cloud", environment)
    cloud_servers.make_secret(terminal.environment, mlflow_password=mlflow_server.password)
    day = ("--set", "observed=2026-11-20")
    found = [
        terminal.run("features", "cloud", *day),
        terminal.run("features", "cloud", *day),
        terminal.run("features", "cloud", "--set", "as_of=2026-11-25"),
        Terminal(root, folder / "local", plain).run("features", "local", *day),
    ]
    for each in found:
        assert each.code == 0, each.stderr
    return [each.json for each in found]


def test_the_version_lies_in_the_bucket_whole(runs, bucket):
    place = runs[0]["result"]["place"]
    prefix = f"s3://{cloud_servers.BUCKET}/"

    assert runs[0]["result"]["status"] == "built"
    assert place.startswith(f"{prefix}features/data/processed/2026-11-20/telco-")
    files = bucket.files(place.removeprefix(prefix))
    assert {key.rpartition("/")[2] for key in files} == {"provenance.json", "part-00000.parquet"}
    assert runs[0]["result"]["provenance"]["stack"] == "cloud"


def test_the_same_input_again_builds_nothing_and_the_old_version_is_the_same(runs):
    assert [each["result"]["status"] for each in runs[1:3]] == ["unchanged", "rebuilt"]
    assert runs[1]["metrics"]["online_customers"] == 0


def test_the_features_are_those_of_the_stack_local(runs):
    cloud, local = (each["result"]["provenance"] for each in (runs[0], runs[3]))

    assert cloud["statistics"] == local["statistics"]
    assert (cloud["version"], cloud["rows"]) == (local["version"], 7043)


def test_the_fields_are_in_redis(runs, root, running_redis):
    contract = load_contract(root / "data" / "contracts" / "telco.yaml")

    with open_online_store(contract, running_redis) as store:
        assert store.read("C00001").row["tenure"] == 1
    assert runs[0]["metrics"]["online_fields_set"] == 7043 * 19
