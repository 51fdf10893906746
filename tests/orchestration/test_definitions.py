"""Assets, checks, schedule and sensors, with pipelines that only say how they ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import yaml

from churn.errors import ChurnError, InputError
from churn.ledger.drift_checks import DriftLedger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import CheckResult
from orchestration import definitions, pipeline_runs
from orchestration.assets import RETRIES
from orchestration.automation import daily_schedule, drift_sensor, run_failure_alert
from orchestration.pipeline_runs import PipelineRuns, configured_runs, outcome_events
from runner.outcome import Outcome
from stacks.spec import load_stack

dg = pytest.importorskip("dagster")

defs = definitions.defs()
DAY = "2026-03-02"
CHAIN = ["training", "features", "training", "promotion", "deployment"]


class Pipelines:
    """Stands for the runner: the requests, and how each pipeline is to end."""

    def __init__(self):
        self.requests = []
        self.ends = {}

    def run(self, request, *, as_json):
        assert as_json
        self.requests.append(request)
        status = self.ends.get(request.pipeline, "completed")
        error = None if status == "completed" else f"{request.pipeline} was {status}."
        return Outcome(
            request.pipeline, status, request.stack, error=error, metrics={"gate.auc": 0.8}
        )

    def prepare(self, request):
        self.requests.append(request)
        if self.ends.get("table"):
            raise InputError(self.ends["table"])
        return SimpleNamespace(table=SimpleNamespace(location="here", sha256=None))

    @property
    def names(self):
        return [each.pipeline for each in self.requests]


@pytest.fixture
def pipelines(monkeypatch):
    found = Pipelines()
    monkeypatch.setenv("CHURN_HOME", "")  # a run sets it; it is put back here
    monkeypatch.setattr(pipeline_runs, "run_pipeline", found.run)
    monkeypatch.setattr(pipeline_runs, "prepare_run", found.prepare)
    return found


@pytest.fixture
def execute(tmp_path):
    """Executes one of the real jobs in this process."""

    def run(job, **settings):
        config = {"folder": str(tmp_path / "state"), "profile": "demo"} | settings
        definition = defs.resolve_job_def(job)
        with dg.DagsterInstance.ephemeral() as instance:
            return definition.execute_in_process(
                run_config={"resources": {"pipeline_runs": {"config": config}}},
                partition_key=None if job == "retraining" else DAY,
                instance=instance,
                raise_on_error=False,
            )

    return run


def checks(result):
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_the_chain_asks_for_every_pipeline_of_its_day_in_order(pipelines, execute, tmp_path):
    result = execute(
        "training_to_service",
        table="s3://tables/{date}.csv",
        settings={"deployment": ["dry_run=true"]},
    )
    assert result.success
    assert pipelines.names == CHAIN
    for request in pipelines.requests:
        assert f"output.folder={tmp_path / 'state'}" in request.overrides
        assert "profile=demo" in request.overrides
    assert "data.source=s3://tables/2026-03-02.csv" in pipelines.requests[2].overrides
    assert f"observed={DAY}" in pipelines.requests[1].overrides
    assert pipelines.requests[-1].overrides[-1] == "dry_run=true"
    assert checks(result) == dict.fromkeys(
        ["follows_the_contract", "quality", "training_gates", "promotion_gates", "smoke_test"], True
    )
    made = result.asset_materializations_for_node("staged_model")[0]
    assert made.metadata["gate_auc"].value == 0.8


@pytest.mark.parametrize(
    ("pipeline", "status", "reached", "check"),
    [
        ("features", "refused", 2, "quality"),
        ("training", "held", 3, "training_gates"),
        ("training", "refused", 3, "training_gates"),
        ("deployment", "held", 5, "smoke_test"),
    ],
)
def test_a_gate_that_fails_ends_the_chain(pipelines, execute, pipeline, status, reached, check):
    pipelines.ends[pipeline] = status
    result = execute("training_to_service")
    assert pipelines.names == CHAIN[:reached]
    assert checks(result)[check] is False
    assert not result.success


def test_a_table_against_the_contract_ends_the_chain_before_anything_runs(pipelines, execute):
    pipelines.ends["table"] = "Column 'Contract' row 17 is wrong."
    result = execute("training_to_service")
    assert not result.success
    assert pipelines.names == CHAIN[:1]
    failed = result.get_asset_check_evaluations()[0]
    assert (failed.passed, failed.description) == (False, "Column 'Contract' row 17 is wrong.")
    assert not result.asset_materializations_for_node("customer_table")


def test_a_held_challenger_is_no_error_and_the_champion_is_deployed(pipelines, execute):
    pipelines.ends["promotion"] = "held"
    result = execute("training_to_service")
    assert result.success
    assert pipelines.names == CHAIN
    held = next(
        each
        for each in result.get_asset_check_evaluations()
        if each.check_name == "promotion_gates"
    )
    assert (held.passed, held.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_the_daily_job_scores_and_checks_the_customers_of_its_day(pipelines, execute, tmp_path):
    pipelines.ends["monitoring"] = "held"  # an alarm
    result = execute("daily", customers="s3://customers/{date}.parquet")
    batch, monitoring = pipelines.requests
    state = tmp_path / "state"
    assert "input=s3://customers/2026-03-02.parquet" in batch.overrides
    assert f"output={state / 'scores' / DAY}" in batch.overrides
    assert not [each for each in batch.overrides if each.startswith("output.folder")]
    assert "batch=s3://customers/2026-03-02.parquet" in monitoring.overrides
    assert result.success
    assert checks(result) == {"rows_scored": True, "no_alarm": False}


def test_scores_of_a_day_may_go_elsewhere(pipelines, execute):
    assert execute("daily", scores="s3://scores/{date}").success
    assert f"output=s3://scores/{DAY}" in pipelines.requests[0].overrides


def test_the_bundled_table_is_scored_by_its_path(root):
    assert PipelineRuns().customers_of(DAY) == str(root / "data" / "raw" / "telco.csv")


def test_a_refusal_is_not_tried_again_and_a_fault_is_with_backoff():
    refused = Outcome("features", "refused", "local", error="No such table.")
    with pytest.raises(dg.Failure) as found:
        list(outcome_events(refused, "quality"))
    assert (found.value.description, found.value.allow_retries) == ("No such table.", False)
    broken = Outcome("features", "failed", "local", error="The bucket went away.")
    with pytest.raises(dg.Failure) as found:
        list(outcome_events(broken, "quality"))
    assert found.value.allow_retries
    assert RETRIES.backoff is dg.Backoff.EXPONENTIAL
    nodes = [
        each
        for job in ("training_to_service", "daily", "retraining")
        for each in defs.resolve_job_def(job).nodes
    ]
    assert len(nodes) == 8
    assert {each.definition.retry_policy for each in nodes} == {RETRIES}


def test_the_loop_asks_the_policy_and_says_what_it_decided(pipelines, execute):
    assert execute("retraining").success
    (request,) = pipelines.requests
    assert request.pipeline == "retraining"
    assert {"trigger=policy", "data.source=bundled"} <= set(request.overrides)
    pipelines.ends["retraining"] = "held"
    assert execute("retraining").success
    pipelines.ends["retraining"] = "refused"
    assert not execute("retraining").success


def test_the_schedule_asks_for_one_run_a_day():
    schedule = defs.resolve_schedule_def("daily_schedule")
    assert schedule.cron_schedule == "0 5 * * *"
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 3, 5, tzinfo=UTC), repository_def=defs.get_repository_def()
    ) as context:  # fmt: skip
        request = schedule.evaluate_tick(context).run_requests[0]
    assert request.partition_key == "2026-03-03"
    assert daily_schedule.name == "daily_schedule"


def test_the_alert_alone_is_on_from_the_start():
    repository = defs.get_repository_def()
    on = {
        each.name
        for each in (*repository.sensor_defs, *repository.schedule_defs)
        if each.default_status.value == "RUNNING"
    }
    assert on == {"run_failure_alert"}


def test_a_loop_that_waits_goes_on_every_day():
    schedule = defs.resolve_schedule_def("retraining_schedule")

    assert (schedule.job_name, schedule.cron_schedule) == ("retraining", "0 6 * * *")


def record(ledger, window, p_value, model="telco-churn-demo", kind="batch"):
    found = CheckResult(finding="watch", reason="", rows=500, reference_rows=7043, p_value=p_value)
    ledger.record_check(
        found, model=model, version="1", kind=kind, window=window, policy=AlarmPolicy()
    )


def evaluate(runs, cursor=None):
    with dg.build_sensor_context(cursor=cursor, resources={"pipeline_runs": runs}) as context:
        return drift_sensor(context)


def test_the_drift_sensor_asks_for_new_alarms_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path))
    runs = PipelineRuns(profile="demo", folder=str(tmp_path))

    assert isinstance(evaluate(runs), dg.SkipReason)  # no ledger, and none is made
    assert not (tmp_path / "ledger.db").exists()
    with DriftLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        record(ledger, "quiet", 0.4)
        record(ledger, "another business", 1e-5, model="mlc-churn-demo")
        assert isinstance(evaluate(runs), dg.SkipReason)
        record(ledger, "moved", 1e-4)
        first = evaluate(runs)
        assert [each.tags["churn/alarms"] for each in first.run_requests] == [
            "telco-churn-demo batch 2"
        ]
        assert isinstance(evaluate(runs, first.cursor), dg.SkipReason)
        record(ledger, "quiet again", 0.4)
        assert isinstance(evaluate(runs, first.cursor), dg.SkipReason)
        record(ledger, "moved further", 1e-4)
        assert len(evaluate(runs, first.cursor).run_requests) == 1
        # what was seen of one model says nothing about another's alarms
        other = PipelineRuns(
            profile="demo", folder=str(tmp_path), contract="data/contracts/mlc_churn.yaml"
        )
        (request,) = evaluate(other, first.cursor).run_requests
        assert request.tags["churn/alarms"] == "mlc-churn-demo batch 1"


def test_a_ledger_that_begins_anew_is_seen_from_its_first_alarm(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path))
    runs, keys, cursor = PipelineRuns(profile="demo", folder=str(tmp_path)), set(), None
    for alarms in (3, 1):
        (tmp_path / "ledger.db").unlink(missing_ok=True)
        with DriftLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
            for window in range(alarms):
                record(ledger, f"window {window}", 1e-4)
        found = evaluate(runs, cursor)
        cursor = found.cursor
        keys |= {each.run_key for each in found.run_requests}

    assert len(keys) == 2


def test_many_new_alarms_ask_for_one_retraining_and_are_all_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path))
    with DriftLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        for window in range(4):
            record(ledger, f"window {window}", 1e-4)
        for window in range(3):
            record(ledger, f"window {window}", 1e-4, kind="stream")

    found = evaluate(PipelineRuns(profile="demo", folder=str(tmp_path)))

    (request,) = found.run_requests
    assert request.run_key.startswith(request.tags["churn/alarms"])
    assert sorted(request.tags["churn/alarms"].split(", ")) == [
        "telco-churn-demo batch 4",
        "telco-churn-demo stream 3",
    ]
    assert isinstance(
        evaluate(PipelineRuns(profile="demo", folder=str(tmp_path)), found.cursor), dg.SkipReason
    )


def test_the_sensor_finds_the_ledger_that_the_stack_names(tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    for name in load_stack("cloud").variables():
        monkeypatch.setenv(name.partition(":")[0], "https://127.0.0.1")
    monkeypatch.setenv("STACK_LEDGER_URL", address)
    with DriftLedger(address) as ledger:
        record(ledger, "moved", 1e-4)

    found = evaluate(PipelineRuns(profile="demo", stack="cloud", folder=str(tmp_path)))

    assert len(found.run_requests) == 1


def test_a_ledger_that_is_away_is_a_failed_look_and_no_run(tmp_path):
    away = PipelineRuns(
        profile="demo", folder=str(tmp_path), ledger="postgresql://churn@127.0.0.1:1/ledger"
    )
    with pytest.raises(ChurnError, match="ledger"):
        evaluate(away)


def test_schedules_and_sensors_run_on_what_the_settings_file_says(pipelines, tmp_path, monkeypatch):
    file = tmp_path / "runs.yaml"
    file.write_text(f"folder: {tmp_path}\nprofile: demo\ntable: s3://tables/labelled.parquet\n")
    monkeypatch.setattr(definitions, "configured_runs", lambda: configured_runs(file))

    job = definitions.defs().resolve_job_def("retraining")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success

    (request,) = pipelines.requests
    assert {"data.source=s3://tables/labelled.parquet", "profile=demo"} <= set(request.overrides)


def test_the_shipped_settings_file_says_every_setting_as_it_is_by_itself():
    shipped = yaml.safe_load(pipeline_runs.SETTINGS.read_text(encoding="utf-8"))

    assert configured_runs() == PipelineRuns()
    assert list(shipped) == list(PipelineRuns.model_fields)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tabel: x", r"has an unknown setting 'tabel'. Did you mean 'table'\?$"),
        ("table: 3", "cannot be read as settings: .*valid string"),
        ("- table", "cannot be read as settings"),
        ("table: [", "cannot be read as settings"),
    ],
)
def test_a_settings_file_at_fault_is_a_sentence(tmp_path, text, sentence):
    file = tmp_path / "runs.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=sentence):
        configured_runs(file)
    with pytest.raises(InputError, match="cannot be read as settings"):
        configured_runs(tmp_path / "nowhere.yaml")


def test_a_run_that_failed_is_an_alert(pipelines, execute, tmp_path, monkeypatch):
    pipelines.ends["retraining"] = "refused"
    result = execute("retraining")
    monkeypatch.setenv("CHURN_HOME", str(tmp_path / "elsewhere"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failure_alert",
            dagster_event=result.get_run_failure_event()
            if hasattr(result, "get_run_failure_event")
            else result.all_events[-1],
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        )
        run_failure_alert(
            context.for_run_failure(), pipeline_runs=PipelineRuns(folder=str(tmp_path))
        )
    (line,) = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["title"] == "Dagster's run of retraining failed"
