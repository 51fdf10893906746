"""What `dagster dev -m orchestration.definitions` loads."""

import dagster as dg

from orchestration import assets
from orchestration.automation import (
    daily_job,
    daily_schedule,
    drift_sensor,
    retraining,
    retraining_schedule,
    run_failure_alert,
    training_job,
)
from orchestration.pipeline_runs import configured_runs


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster shows; the resource is as its settings file has it.

    Raises:
        InputError: that file is at fault.
    """
    return dg.Definitions(
        assets=dg.load_assets_from_modules([assets]),
        jobs=[training_job, daily_job, retraining],
        schedules=[daily_schedule, retraining_schedule],
        sensors=[drift_sensor, run_failure_alert],
        resources={"pipeline_runs": configured_runs()},
    )
