"""The assets, one for each pipeline; each has its gate as an asset check, and a partition a day."""

import dagster as dg

from orchestration.pipeline_runs import Events, PipelineRuns, check_events, outcome_events

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_offset=1)
RETRIES = dg.RetryPolicy(
    max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For what broke off; what was refused is not tried again."""


def _gate(asset: str, name: str, *, blocking: bool = True) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(name, asset=asset, blocking=blocking)]


@dg.asset(
    partitions_def=DAYS,
    group_name="data",
    retry_policy=RETRIES,
    check_specs=_gate("customer_table", "follows_the_contract"),
)
def customer_table(context: dg.AssetExecutionContext, pipeline_runs: PipelineRuns) -> Events:
    """The labelled customers of a day, read and parsed by the data contract."""
    table = pipeline_runs.table_of(context.partition_key)
    yield from check_events(
        pipeline_runs, "follows_the_contract", "training", f"data.source={table}"
    )


@dg.asset(
    partitions_def=DAYS,
    group_name="data",
    deps=[customer_table],
    retry_policy=RETRIES,
    check_specs=_gate("features", "quality"),
)
def features(context: dg.AssetExecutionContext, pipeline_runs: PipelineRuns) -> Events:
    """The features of a day, with provenance; refused where the quality gate refuses the table."""
    day = context.partition_key
    outcome = pipeline_runs.run(
        "features", f"data.source={pipeline_runs.table_of(day)}", f"observed={day}"
    )
    yield from outcome_events(outcome, "quality")


@dg.asset(
    partitions_def=DAYS,
    group_name="model",
    deps=[features],
    retry_policy=RETRIES,
    check_specs=_gate("staged_model", "training_gates"),
)
def staged_model(context: dg.AssetExecutionContext, pipeline_runs: PipelineRuns) -> Events:
    """A trained, judged and registered model version, staged for promotion."""
    table = pipeline_runs.table_of(context.partition_key)
    outcome = pipeline_runs.run("training", f"data.source={table}")
    yield from outcome_events(outcome, "training_gates")


@dg.asset(
    partitions_def=DAYS,
    group_name="model",
    deps=[staged_model],
    retry_policy=RETRIES,
    check_specs=_gate("production_model", "promotion_gates", blocking=False),
)
def production_model(pipeline_runs: PipelineRuns) -> Events:
    """The version in production; where a gate holds the challenger, the one that was there before."""
    yield from outcome_events(pipeline_runs.run("promotion"), "promotion_gates", blocks=False)


@dg.asset(
    partitions_def=DAYS,
    group_name="model",
    deps=[production_model],
    retry_policy=RETRIES,
    check_specs=_gate("service", "smoke_test"),
)
def service(pipeline_runs: PipelineRuns) -> Events:
    """The service on the version in production, proven by its golden rows."""
    yield from outcome_events(pipeline_runs.run("deployment"), "smoke_test")


@dg.asset(
    partitions_def=DAYS,
    group_name="daily",
    retry_policy=RETRIES,
    check_specs=_gate("scores", "rows_scored"),
)
def scores(context: dg.AssetExecutionContext, pipeline_runs: PipelineRuns) -> Events:
    """Every customer of a day, scored by the version in production."""
    day = context.partition_key
    outcome = pipeline_runs.run(
        "batch_inference",
        f"input={pipeline_runs.customers_of(day)}",
        f"output={pipeline_runs.scores_of(day)}",
    )
    yield from outcome_events(outcome, "rows_scored")


@dg.asset(
    partitions_def=DAYS,
    group_name="daily",
    deps=[scores],
    retry_policy=RETRIES,
    check_specs=_gate("drift", "no_alarm", blocking=False),
)
def drift(context: dg.AssetExecutionContext, pipeline_runs: PipelineRuns) -> Events:
    """Whether the customers of a day still look like the training rows; kept in the ledger."""
    table = pipeline_runs.customers_of(context.partition_key)
    outcome = pipeline_runs.run("monitoring", f"batch={table}")
    yield from outcome_events(outcome, "no_alarm", blocks=False)
