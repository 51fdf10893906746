"""The files and the outcomes that a campaign leaves: arms by chance, a call list, a ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from churn.campaign.campaign_experiment import PLAN_NAME
from churn.campaign.earlier_lists import CALL_LIST
from churn.data.sources import open_sink
from churn.experiments.assignment import HOLDOUT, TREATED, assign_arms
from churn.experiments.assignments import FILE_NAME, Assigned, write_assignments
from churn.experiments.experiment_settings import ExperimentSettings
from churn.experiments.plan import plan_experiment
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger

EXPERIMENT = "telco-1"
SHARES = {HOLDOUT: 0.2, TREATED: 0.8}
RATES = {HOLDOUT: 0.4, TREATED: 0.34}  # 15% of the leavers stay
CUSTOMERS = 2_000


def leave_campaign(folder: Path, day: date, *, offer: str = "one_year") -> list[Assigned]:
    """Writes what a campaign of a day writes: assignments, plan and call list."""
    ids = [f"c{number}" for number in range(CUSTOMERS)]
    strata = ["high/upper" if number % 2 else "low/lower" for number in range(CUSTOMERS)]
    arms = assign_arms(ids, strata, SHARES, salt="s").tolist()
    rows = [
        Assigned(
            experiment=EXPERIMENT, customer=customer, assigned_on=day, arm=arm, stratum=stratum,
            offer=offer, risk=0.3 + 0.2 * (stratum == "high/upper"),
        )
        for customer, arm, stratum in zip(ids, arms, strata, strict=True)
    ]  # fmt: skip
    here = folder / day.isoformat()
    here.mkdir(parents=True)
    write_assignments(here / FILE_NAME, rows)
    sizes = {arm: arms.count(arm) for arm in SHARES}
    plan = plan_experiment(EXPERIMENT, day, 0.4, sizes, ExperimentSettings(), shares=SHARES)
    (here / PLAN_NAME).write_text(plan.model_dump_json())
    write_call_list(folder, day, [row.customer for row in rows if row.arm == TREATED])
    return rows


def write_call_list(folder: Path, day: date, customers: list[str]) -> None:
    """Writes who was called."""
    open_sink(str(folder / day.isoformat() / CALL_LIST)).write(
        [pa.table({"customer_id": customers})]
    )


def record_outcomes(address: str, rows: list[Assigned]) -> dict[str, int]:
    """Records the outcome of everybody, of each second one by a prediction; returns who left, by arm.

    Of each arm exactly its share leaves, ten days after the assignment.
    """
    left = dict.fromkeys(SHARES, 0)
    outcomes, predictions = [], []
    rng = np.random.default_rng(3)
    for arm, rate in RATES.items():
        mine = [row for row in rows if row.arm == arm]
        left[arm] = round(rate * len(mine))
        gone = set(rng.permutation(len(mine))[: left[arm]].tolist())
        for place, row in enumerate(mine):
            begun = datetime.combine(row.assigned_on, time(1), UTC)
            at = begun + timedelta(10 if place in gone else 31)
            if place % 2:
                outcomes.append(Outcome(at, churned=place in gone, customer=row.customer))
                continue
            known = f"p-{row.customer}"
            outcomes.append(Outcome(at, churned=place in gone, prediction_id=known))
            predictions.append(
                Prediction(
                    predicted_at=begun, prediction_id=known, customer=row.customer, version="1",
                    role="production", source="batch", probability=row.risk, decision=True,
                    input_hash="0" * 32,
                )
            )  # fmt: skip
    with PredictionLedger(address) as ledger:
        ledger.record(predictions)
        ledger.record_outcomes(outcomes)
    return left
