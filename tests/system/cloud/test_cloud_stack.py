"""The stack `cloud` for real: the same run as on `local`, and nothing of it on this machine."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import httpx
import psycopg2
import pytest
from pyarrow import parquet
from sqlalchemy import make_url

from churn.scoring import Scorer
from churn.scoring.bundle import history
from runner.demonstration import FLOORS, GATES
from runner.loop_run import as_yaml
from runner.retraining_demo import SMALL
from tests.servers import cloud_servers
from tests.servers.process import free_port
from tests.servers.relay import Relay
from tests.servers.webhook_receiver import Receiver, receiving
from tests.system.cloud.terminal import TIMEOUT, CommandResult, Terminal

MODEL = "telco-churn-demo"


def stop_service(state: Path) -> None:
    """Stops what the deployment has started, which outlives its run."""
    from deployment.local_process import find_process

    if (running := find_process(state / "deployment" / "local")) is not None:
        running.stop()


@dataclass
class Cloud:
    """The cloud and what became of the runs on it."""

    terminal: Terminal
    zenml: cloud_servers.ZenServer
    bucket: cloud_servers.Bucket
    mlflow: cloud_servers.Tracking
    ledger: str
    receiver: Receiver
    trained: CommandResult
    promoted: CommandResult
    deployed: CommandResult
    service: str
    local: CommandResult

    def zen(self, path: str, **query: Any) -> Any:
        """Response of ZenML's server, with its key."""
        with httpx.Client(base_url=f"{self.zenml.url}/api/v1", timeout=60) as client:
            login = client.post("/login", data={"password": self.zenml.api_key}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
            return client.get(path, params=query).raise_for_status().json()

    def runs(self) -> int:
        """Number of runs on the server."""
        return int(self.zen("/runs", size=1)["total"])

    def track(self, path: str, **body: Any) -> Any:
        """Response of MLflow's server, with its password."""
        with httpx.Client(
            base_url=f"{self.mlflow.url}/api/2.0/mlflow",
            auth=(self.mlflow.user, self.mlflow.password),
            timeout=60,
        ) as client:
            method = "POST" if body else "GET"
            return client.request(method, path, json=body or None).raise_for_status().json()


@pytest.fixture(scope="module")
def cloud(
    root, isolated_environment, postgres, bucket, zenml_server, mlflow_server, tmp_path_factory
):
    """Trains, promotes and deploys on the cloud, and trains on `local` meanwhile."""
    folder = tmp_path_factory.mktemp("cloud")
    plain = {n: v for n, v in isolated_environment.items() if not n.startswith(("AWS_", "STACK_"))}
    at_home = Terminal(root, folder / "local", plain)
    beside = at_home.start("training", "local", "--set", "profile=demo")
    with receiving() as receiver:
        ledger = postgres.create("ledger")
        environment = plain | cloud_servers.cloud_environment(
            zenml_server, bucket, mlflow_server.url, ledger
        )
        terminal = Terminal(root, folder / "cloud", environment)
        secretary = Terminal(root, folder / "secretary", environment)
        cloud_servers.make_secret(
            secretary.environment, mlflow_password=mlflow_server.password, webhook=receiver.url
        )
        trained = terminal.run("training", "cloud", "--set", "profile=demo")
        assert trained.code == 0, trained.stderr  # all else would only follow from it
        promoted = terminal.run("promotion", "cloud", "--set", "profile=demo")
        assert promoted.code == 0, promoted.stderr
        local = Terminal.end(beside)
        assert local.code == 0, local.stderr
        port = free_port()
        try:
            deployed = terminal.run(
                "deployment", "cloud", "--set", "profile=demo", "--set", f"local.port={port}"
            )
            yield Cloud(
                terminal, zenml_server, bucket, mlflow_server, ledger, receiver, trained, promoted,
                deployed, f"http://127.0.0.1:{port}", local,
            )  # fmt: skip
        finally:
            stop_service(terminal.state)


def rows(url: str, query: str, *values: str) -> list[tuple[Any, ...]]:
    """What a database answers."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()
    finally:
        connection.close()


def test_the_figures_are_those_of_the_stack_local_to_the_last_digit(cloud):
    assert cloud.trained.json["metrics"] == cloud.local.json["metrics"]
    assert len(cloud.trained.json["metrics"]) > 20


def test_artifacts_lie_in_the_bucket_and_nowhere_else(cloud):
    there = cloud.bucket.files("zenml/")
    assert len(cloud.trained.json["artifacts"]) > 10
    for name, artifact in cloud.trained.json["artifacts"].items():
        prefix = f"s3://{cloud_servers.BUCKET}/"
        assert artifact["uri"].startswith(f"{prefix}zenml/"), name
        assert any(key.startswith(artifact["uri"].removeprefix(prefix)) for key in there), name


def test_the_version_its_stage_and_the_runs_are_on_zenmls_server(cloud):
    (version,) = cloud.zen("/model_versions", model=MODEL, hydrate=True)["items"]
    assert version["body"]["stage"] == cloud.promoted.json["stage"] == "production"
    assert version["name"] == cloud.promoted.json["model_version"] == "1"
    runs = cloud.zen("/runs", hydrate=True)["items"]
    assert {run["body"]["status"] for run in runs} == {"completed"}
    assert {run["id"] for run in runs} >= {cloud.trained.json["run_id"]}
    assert {run["resources"]["stack"]["name"] for run in runs} == {"cloud"}


def test_the_run_is_tracked_on_mlflows_server_and_its_files_in_the_bucket(cloud):
    experiment = cloud.track(f"/experiments/get-by-name?experiment_name={MODEL}")["experiment"]
    (run,) = cloud.track("/runs/search", experiment_ids=[experiment["experiment_id"]])["runs"]
    assert run["info"]["status"] == "FINISHED"
    figures = {each["key"]: each["value"] for each in run["data"]["metrics"]}
    assert cloud.trained.json["metrics"]["gate.roc_auc"] in figures.values()
    model = cloud.track(f"/registered-models/get?name={MODEL}")["registered_model"]
    assert [(each["alias"], each["version"]) for each in model["aliases"]] == [("champion", "1")]
    assert any(key.endswith("/MLmodel") for key in cloud.bucket.files("mlflow/"))


def test_the_bundle_in_the_bucket_scores(cloud, monkeypatch, telco_columns):
    for name, value in cloud.bucket.environment.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{cloud_servers.BUCKET}/production/{MODEL}"

    assert [(each.version, each.action) for each in history(store)] == [("1", "publish")]
    scores = Scorer.load(store).score_many(telco_columns)

    assert (scores.version, len(scores.probability)) == ("1", 7043)


def test_the_decision_is_in_postgresql_and_the_webhook_was_called(cloud):
    query = "SELECT model, version, champion_version, verdict FROM decisions"

    assert rows(cloud.ledger, query) == [(MODEL, "1", None, "promote")]
    assert any(
        "version 1 is published as a demonstration" in json.loads(body)["text"]
        for body in cloud.receiver.bodies
    )


def test_the_deployed_service_serves_from_the_bucket_and_writes_to_postgresql(
    cloud, telco, contract
):
    assert cloud.deployed.code == 0, cloud.deployed.stderr
    row = telco.frame[[column.name for column in contract.features]].iloc[0].to_dict()
    customer = {name: getattr(value, "item", lambda v=value: v)() for name, value in row.items()}

    answer = httpx.post(f"{cloud.service}/v1/score", json=customer, timeout=60).json()

    assert answer["model_version"] == "1"
    written = "SELECT version FROM predictions WHERE prediction_id = %s"
    until = time.monotonic() + TIMEOUT
    while not (kept := rows(cloud.ledger, written, answer["prediction_id"])):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert kept == [("1",)]
    query = "SELECT model, version, target, status FROM deployments"
    assert rows(cloud.ledger, query) == [(MODEL, "1", "local", "deployed")]


@pytest.fixture(scope="module")
def monitored(cloud):
    """Customers after a price rise, checked against the version in production."""
    return cloud.terminal.run(
        "monitoring", "cloud", "--set", "profile=demo",
        "--set", "batch=generated:2000?scenario=price_rise",
    )  # fmt: skip


def test_an_alarm_of_monitoring_is_in_postgresql_the_bucket_mlflow_and_at_the_webhook(
    cloud, monitored
):
    assert monitored.code == 3, monitored.stderr
    assert monitored.json["verdict"] == "alarm"
    query = "SELECT model, version, kind, number, raises_alarm FROM drift_checks"
    assert rows(cloud.ledger, query) == [(MODEL, "1", "batch", 1, True)]
    assert all(
        artifact["uri"].startswith(f"s3://{cloud_servers.BUCKET}/zenml/")
        for artifact in monitored.json["artifacts"].values()
    )
    assert any(
        "alarm" in json.loads(body)["text"] and "MonthlyCharges" in json.loads(body)["text"]
        for body in cloud.receiver.bodies
    )
    found = cloud.track("/experiments/search", max_results=100)["experiments"]
    runs = cloud.track("/runs/search", experiment_ids=[e["experiment_id"] for e in found])["runs"]
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in runs]
    assert [each.get("verdict") for each in tags].count("alarm") == 1  # a promotion has one, too


def test_nothing_but_pages_to_read_stays_on_this_machine(cloud):
    left = cloud.terminal.left_behind()
    kept = (
        "state/reports/",
        "state/zenml/cloud/",
        "state/deployment/local/service.",
        "state/alerts.jsonl",
        "state/metrics/",  # for node_exporter on this machine
        "home/.cache/",
        "state/scratch/.lock",  # empty; copies of bundles were beside it
    )
    # Of the service that runs meanwhile: its lock, and how many requests each worker has answered.
    at_work = re.compile(r"state/scratch/service-[^/]+/(\.lock|[^/]+\.metrics)")
    rest = [path for path in left if not path.startswith(kept) and not at_work.fullmatch(path)]
    assert rest == []
    assert not [path for path in left if path.endswith(".db") or "mlruns" in path]
    private = cloud.terminal.state / "zenml" / "cloud"  # the server's key lies there
    assert private.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("variable", "wrong", "code", "sentence"),
    [
        ("STACK_BUCKET", "", 2, "the environment does not have STACK_BUCKET"),
        ("STACK_ZENML_API_KEY", "ZENKEY_nobodys", 2, "refuses the API key"),
        ("STACK_ZENML_URL", "http://127.0.0.1:{free}", 1, "does not answer"),
        ("STACK_BUCKET", "nobodys-bucket", 2, "has no bucket 'nobodys-bucket'"),
        ("STACK_MLFLOW_USER", "somebody-else", 2, "refuses the credentials"),
    ],
)
def test_what_is_wrong_with_the_cloud_is_one_sentence_before_any_step(
    cloud, variable, wrong, code, sentence
):
    before = cloud.runs()

    result = cloud.terminal.run(
        "training", "cloud", "--set", "profile=demo", **{variable: wrong.format(free=free_port())}
    )

    assert result.code == code, result.stderr
    assert sentence in result.sentence
    assert "\n" not in result.sentence
    assert "Traceback" not in result.stderr
    assert result.json["run_id"] is None
    assert cloud.runs() == before
    secrets_ = (cloud.zenml.api_key, cloud.mlflow.password, cloud_servers.SECRET)
    assert not [each for each in secrets_ if each in result.stderr + json.dumps(result.json)]


def test_a_batch_goes_from_bucket_to_bucket_and_into_the_ledger(
    cloud, root, monkeypatch, telco_columns
):
    place = f"s3://{cloud_servers.BUCKET}"
    cloud.bucket.put("customers.csv", root / "data" / "raw" / "telco.csv")
    # The deployment's own check of the service scores a few customers in one request, which counts, too.
    counted = "SELECT count(*) FROM predictions WHERE source = 'batch' AND version = '1'"
    ((before,),) = rows(cloud.ledger, counted)

    places = ("--set", f"input={place}/customers.csv", "--set", f"output={place}/scores")
    result = cloud.terminal.run("batch_inference", "cloud", "--set", "profile=demo", *places)

    assert result.code == 0, result.stderr
    assert result.json["metrics"]["accepted"] == 7043
    assert result.json["artifacts"]["batch_report"]["uri"].startswith(f"{place}/zenml/")
    for name, value in cloud.bucket.environment.items():
        monkeypatch.setenv(name, value)
    with fsspec.open(f"{place}/scores/scores/part-00000.parquet") as file:
        found = parquet.read_table(file)["probability"].to_pylist()
    expected = Scorer.load(f"{place}/production/{MODEL}").score_many(telco_columns).probability
    assert found == expected.tolist()
    ((after,),) = rows(cloud.ledger, counted)
    assert after - before == 7043


def test_a_campaign_is_planned_and_its_list_goes_into_postgresql(cloud):
    place = make_url(cloud.ledger)
    table = (
        f"postgresql://{place.username}@{place.host}:{place.port}/{place.database}?table=call_list"
    )

    result = cloud.terminal.run(
        "retention", "cloud", "--set", "profile=demo", "--set", f"export={table}",
        PGPASSWORD=str(place.password),
    )  # fmt: skip

    assert result.code == 0, result.stderr
    called = int(result.json["metrics"]["called"])
    assert rows(cloud.ledger, "SELECT count(*) FROM call_list") == [(called,)]
    bucket = f"s3://{cloud_servers.BUCKET}/zenml/"
    for name in ("call_list", "campaign_plan", "customer_cohorts"):
        assert result.json["artifacts"][name]["uri"].startswith(bucket), name


def test_the_retraining_loop_goes_on_after_the_bucket_was_away_during_its_training(cloud):
    port = cloud.service.rpartition(":")[2]
    settings = {
        "profile": "demo",
        "data.source": "generated:4000?seed=32&scenario=price_rise&strength=0.1",
        "rules.probation.days": 0,
        "runs": {
            "training": SMALL,
            "promotion": {"floors": FLOORS, "gates": GATES},
            "deployment": {"local": {"port": int(port)}},
        },
    }
    given = [f"--set={name}={as_yaml(value)}" for name, value in settings.items()]
    relay = Relay(int(cloud.bucket.endpoint.rpartition(":")[2]))
    bucket = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{relay.port}"}
    before = set(cloud.bucket.files("zenml/"))

    begun = cloud.terminal.start("retraining", "cloud", *given, **bucket)
    while not set(cloud.bucket.files("zenml/")) - before:  # of the training's first step
        assert begun.poll() is None
        time.sleep(0.1)
    relay.go_away()
    cut = Terminal.end(begun)

    assert cut.code == 1, cut.stderr
    assert re.match(
        r"The artifact store '\S+' of stack 'cloud' at \S+ does not answer", cut.sentence
    )
    versions = httpx.get(f"{cloud.service}/readyz", timeout=60).json()["versions"]
    assert versions["production"] == "1"

    relay.come_back()
    done = cloud.terminal.run("retraining", "cloud", *given, **bucket)

    # Which of the two is better is no matter here: what is decided is what serves.
    assert done.code in (0, 3), done.stderr
    decision = done.json["result"]["decision"]
    assert [each["name"] for each in decision["judged"]][:3] == ["trigger", "training", "gates"]
    assert decision["serving"] == {"promoted": "2", "kept": "1"}[decision["outcome"]]
    versions = httpx.get(f"{cloud.service}/readyz", timeout=60).json()["versions"]
    assert versions["production"] == decision["serving"]
    query = "SELECT kind FROM retraining_events WHERE kind <> 'renewed' ORDER BY number"
    first, *found, last = [kind for (kind,) in rows(cloud.ledger, query)]
    assert (first, set(found), last) == ("opened", {"released", "taken", "found"}, "closed")
    assert not [path for path in cloud.terminal.left_behind() if path.endswith(".db")]
