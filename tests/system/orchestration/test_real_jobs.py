"""Dagster executes its real jobs in this process: the real pipelines, on the real table."""

from __future__ import annotations

import httpx
import pytest

from orchestration.automation import drift_sensor
from orchestration.definitions import defs
from orchestration.pipeline_runs import PipelineRuns
from tests.servers.process import free_port

dg = pytest.importorskip("dagster")

DAY, NEXT_DAY = "2026-03-02", "2026-03-03"
MODEL = "telco-churn-demo"
RISEN = "generated:3000?seed=5&scenario=price_rise&strength=0.1"


@pytest.fixture(scope="module")
def jobs(session_zenml, tmp_path_factory):
    """Executes jobs; all of them share one folder, and a service that is stopped at the end."""
    folder, port = tmp_path_factory.mktemp("dagster") / "state", free_port()
    common = {
        "stack": "local",
        "profile": "demo",
        "folder": str(folder),
        "settings": {
            "training": ["candidates=[logistic]", "protocol.frozen_recipe=logistic"],
            "deployment": [f"local.port={port}"],
        },
    }

    def execute(job, day=None, **settings):
        config = {"resources": {"pipeline_runs": {"config": common | settings}}}
        with dg.DagsterInstance.ephemeral() as instance:
            return (
                defs()
                .resolve_job_def(job)
                .execute_in_process(
                    run_config=config, partition_key=day, instance=instance, raise_on_error=False
                )
            )

    execute.service = f"http://127.0.0.1:{port}"
    execute.runs = PipelineRuns(**common)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_ACTIVE_STACK_ID", "")  # put back as it was; a run activates its stack
        patch.setenv("CHURN_HOME", str(folder))
        yield execute
        execute.runs.run("deployment", "action=stop")


def checks(result):
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def metadata(result, asset):
    (made,) = result.asset_materializations_for_node(asset)
    return {name: each.value for name, each in made.metadata.items()}


def sensed(runs):
    with dg.build_sensor_context(resources={"pipeline_runs": runs}) as context:
        return drift_sensor(context)


def test_the_real_table_becomes_a_service_scores_and_an_alarm_that_asks_the_policy(jobs):
    trained = jobs("training_to_service", DAY)

    assert trained.success
    assert checks(trained) == dict.fromkeys(
        ["follows_the_contract", "quality", "training_gates", "promotion_gates", "smoke_test"], True
    )
    version = metadata(trained, "staged_model")["version"]
    assert metadata(trained, "production_model")["version"] == version
    served = httpx.get(f"{jobs.service}/metadata").raise_for_status().json()
    assert served["model"]["version"] == version

    daily = jobs("daily", DAY)
    assert daily.success
    assert checks(daily) == {"rows_scored": True, "no_alarm": True}
    assert (jobs.runs.state / "scores" / DAY / "manifest.json").is_file()
    assert isinstance(sensed(jobs.runs), dg.SkipReason)

    drifted = jobs("daily", NEXT_DAY, customers=RISEN)  # an alarm is no failure of the run
    assert drifted.success
    assert checks(drifted) == {"rows_scored": True, "no_alarm": False}
    (request,) = sensed(jobs.runs).run_requests
    assert request.run_key.startswith(MODEL)

    loop = jobs("retraining")
    assert loop.success
    assert loop.output_for_node("retrain").startswith("Nothing to do")


def test_a_broken_table_stops_before_anything_is_trained(jobs, root, tmp_path):
    table = (root / "data" / "raw" / "telco.csv").read_text(encoding="utf-8")
    broken = tmp_path / "broken.csv"
    broken.write_text(table.replace("Month-to-month", "Biennial", 1), encoding="utf-8")

    result = jobs("training_to_service", DAY, table=str(broken))

    assert not result.success
    assert not result.asset_materializations_for_node("customer_table")
    (failed,) = result.get_asset_check_evaluations()
    assert (failed.check_name, failed.passed) == ("follows_the_contract", False)
    assert "Biennial" in failed.description
