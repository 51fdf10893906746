"""Jobs, the daily schedule, the drift sensor, and the alert of a run that failed."""

import json
import os

import dagster as dg

from churn import home
from churn.alert import Alert, append_alert
from churn.contract import load_contract
from churn.profile import model_name
from churn.root import ROOT
from orchestration.assets import RETRIES
from orchestration.pipeline_runs import PipelineRuns

training_job = dg.define_asset_job(
    "training_to_service",
    selection=["customer_table", "features", "staged_model", "production_model", "service"],
    description="From a day's labelled table to what serves; a data gate that fails ends it, and where "
    "a promotion gate fails, the champion stays.",
)
daily_job = dg.define_asset_job(
    "daily", selection=["scores", "drift"], description="Scores a day's customers and checks them."
)
daily_schedule = dg.build_schedule_from_partitioned_job(daily_job, hour_of_day=5)


class RetrainConfig(dg.Config):
    """Who or what asks: `policy`, where its rules decide, or `by hand` with a person's name."""

    trigger: str = "policy"
    person: str = ""


@dg.op(retry_policy=RETRIES)
def retrain(
    context: dg.OpExecutionContext, config: RetrainConfig, pipeline_runs: PipelineRuns
) -> str:
    """One loop of the pipeline `retraining`, whose policy decides whether anything is trained."""
    from datetime import UTC, datetime

    table = pipeline_runs.table_of(datetime.now(UTC).date().isoformat())
    outcome = pipeline_runs.run(
        "retraining",
        f"data.source={table}",
        f"trigger={config.trigger}",
        f"person={config.person}",
    )
    if outcome.status not in {"completed", "held"}:
        raise dg.Failure(outcome.error or "", allow_retries=outcome.status == "failed")
    sentence = outcome.result.sentence if outcome.result else outcome.error or outcome.status
    context.log.info(sentence)
    return sentence


@dg.job
def retraining() -> None:
    """The closed loop: from a new snapshot to what serves, or the champion unchanged."""
    retrain()


retraining_schedule = dg.ScheduleDefinition(
    job=retraining,
    cron_schedule="0 6 * * *",
    description="Goes on with the loop that waits: shadow, canary, approval and probation end by it.",
)


@dg.sensor(job=retraining, minimum_interval_seconds=300)
def drift_sensor(
    context: dg.SensorEvaluationContext, pipeline_runs: PipelineRuns
) -> dg.SensorResult | dg.SkipReason:
    """Asks for one retraining, however many alarms are new in the ledger; the policy may still say no."""
    ledger = pipeline_runs.open_ledger()
    if ledger is None:
        return dg.SkipReason("No drift check has been recorded yet.")
    contract = load_contract(ROOT / pipeline_runs.contract)
    model = model_name(contract.name, pipeline_runs.profile)
    seen: dict[str, int] = json.loads(context.cursor or "{}")
    raised, last = {}, ""
    with ledger:
        for kind in ledger.kinds(model):
            checks, name = ledger.checks(model, kind), f"{model} {kind}"
            if seen.get(name, 0) > max((each.number for each in checks), default=0):
                seen.pop(name)  # another ledger, which counts from 1 again
            alarms = [each for each in checks if each.raises_alarm]
            raised[name] = max((each.number for each in alarms), default=0)
            last = max([last, *(each.checked_at.isoformat() for each in alarms)])
    news = {name: number for name, number in raised.items() if number > seen.get(name, 0)}
    if not news:
        return dg.SkipReason(f"No new alarm of {model}.")
    named = ", ".join(f"{name} {number}" for name, number in news.items())
    request = dg.RunRequest(run_key=f"{named} at {last}", tags={"churn/alarms": named})
    return dg.SensorResult(run_requests=[request], cursor=json.dumps(seen | news))


@dg.run_failure_sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def run_failure_alert(context: dg.RunFailureSensorContext, pipeline_runs: PipelineRuns) -> None:
    """A line in alerts.jsonl for every failed run, beside those of the pipelines."""
    os.environ[home.VARIABLE] = str(pipeline_runs.state)  # where alerts go
    run = context.dagster_run
    append_alert(
        Alert(
            title=f"Dagster's run of {run.job_name} failed",
            text="The run's page says at which step; the pipeline's own alert says why.",
            level="error",
            run=run.run_id,
            pipeline=run.job_name,
            runbook="docs/runbooks.md#run-stopped",
        )
    )
