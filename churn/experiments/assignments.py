"""The file of an experiment's assignments, and the outcomes of its customers from the ledger."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from churn.durable import replacing
from churn.errors import InputError, error_reason
from churn.experiments.arm_comparison import Observed
from churn.experiments.assignment import HOLDOUT
from churn.experiments.plan import ExperimentPlan
from churn.frozen_model import FrozenModel, first_fault
from churn.ledger.prediction import Outcome, Prediction
from churn.ledger.settled_outcomes import OutcomeCounts, OutcomeTiming, settle

FILE_NAME = "assignments.csv"


class Assigned(FrozenModel):
    """One customer of an experiment.

    Attributes:
        experiment: its name.
        customer: the id.
        assigned_on: the day, in UTC.
        arm: holdout or treated.
        stratum: within which arms are balanced.
        offer: that the customer gets, or would have got; empty for one who is not selected.
        risk: predicted before the assignment.
        place: file and line that it was read from.
    """

    experiment: str = Field(min_length=1)
    customer: str = Field(min_length=1)
    assigned_on: date
    arm: str = Field(pattern="^(holdout|treated)$")
    stratum: str
    offer: str
    risk: float = Field(ge=0, le=1)
    place: str = Field(default="", exclude=True)


_COLUMNS = [name for name, field in Assigned.model_fields.items() if not field.exclude]


def write_assignments(path: Path, rows: Iterable[Assigned]) -> None:
    """Writes the file, whole or not at all: half of it would draw the other half's arms anew."""
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json") for row in rows)


def read_assignments(paths: Sequence[Path], experiment: str) -> dict[str, Assigned]:
    """Each customer of an experiment, from the files of its campaigns: the first that selects the customer.

    Who was never selected has the first assignment.

    Raises:
        InputError: a file cannot be read, a line is not valid, or a customer changes the arm; the
            sentence names file and line.
    """
    first: dict[str, Assigned] = {}
    for path in paths:
        for row in read_rows(path):
            if row.experiment != experiment:
                continue
            known = first.setdefault(row.customer, row)
            if known.arm != row.arm:
                raise InputError(
                    f"{row.place}: the customer is in the arm '{row.arm}', and since "
                    f"{known.assigned_on} in '{known.arm}'. A crossover ends what the experiment can "
                    "measure: remove the customer from every file, or start another experiment."
                )
            if row.offer and not known.offer:
                first[row.customer] = row
    return first


def observe(
    assigned: Mapping[str, Assigned],
    outcomes: Iterable[Outcome],
    plan: ExperimentPlan,
    now: datetime,
    *,
    treated: Mapping[str, bool] | None = None,
) -> tuple[Observed, OutcomeCounts]:
    """Joins the customers of an experiment with what became of them.

    Args:
        assigned: by customer.
        outcomes: of the ledger, each naming its customer, in the order they were recorded.
        plan: horizon and delay.
        now: what is later is an error of a clock.
        treated: who was contacted, by call lists and the ledger.

    Returns:
        The customers with an outcome, and what became of all others.

    Raises:
        InputError: an outcome or a contact contradicts the assignment.
    """
    _check_contacts(assigned, treated or {})
    rows = list(assigned.values())
    known = list(outcomes)
    _check_left_before(assigned, known)
    timing = OutcomeTiming(
        horizon_days=plan.settings.horizon_days, delay_days=plan.settings.delay_days
    )
    begins = datetime.combine(min(row.assigned_on for row in rows), time(), UTC)
    settled = settle(
        [_prediction(row) for row in rows if row.offer],
        known,
        since=begins,
        until=now,
        now=now,
        timing=timing,
    )
    mine = [assigned[each.prediction_id] for each in settled.predictions]
    observed = Observed(
        arm=np.array([row.arm for row in mine], dtype=np.str_),
        left=settled.target == 1,
        risk=np.array([row.risk for row in mine], dtype=np.float64),
        stratum=np.array([row.stratum for row in mine], dtype=np.str_),
        offer=np.array([row.offer for row in mine], dtype=np.str_),
        assigned=Counter(row.arm for row in rows if row.offer),
    )
    return observed, settled.counts


def read_rows(path: Path) -> Iterator[Assigned]:
    """The rows of one campaign's file.

    Raises:
        InputError: it cannot be read, or a line is not valid.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                yield Assigned.model_validate(row | {"place": f"{path}:{reader.line_num}"})
    except ValidationError as error:
        raise InputError(
            f"{path}:{reader.line_num}: {first_fault(error)}. Restore the file as the campaign wrote it."
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as assignments: {error_reason(error)}.") from None


def _prediction(row: Assigned) -> Prediction:
    """The assignment as what outcomes are joined with."""
    return Prediction(
        predicted_at=datetime.combine(row.assigned_on, time(), UTC),
        prediction_id=row.customer,
        customer=row.customer,
        version="",
        role="production",
        source="retention",
        probability=row.risk,
        decision=True,
        input_hash="",
    )


def _check_contacts(assigned: Mapping[str, Assigned], treated: Mapping[str, bool]) -> None:
    for row in assigned.values():
        if row.arm == HOLDOUT and treated.get(row.customer):
            raise InputError(
                f"{row.place}: the customer was contacted, but is in the holdout of experiment "
                f"'{row.experiment}' since {row.assigned_on}: the contact contradicts the assignment. "
                f"Keep the holdout off every call list, and take the customer out of every {FILE_NAME}."
            )


def _check_left_before(assigned: Mapping[str, Assigned], outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        row = assigned.get(outcome.customer or "")
        day = outcome.observed_at.astimezone(UTC).date()
        if row is not None and outcome.churned and day < row.assigned_on:
            raise InputError(
                f"{row.place}: the customer left on {day}, but was assigned in experiment "
                f"'{row.experiment}' on {row.assigned_on}: the outcome contradicts the assignment. "
                "Correct the outcome, or assign customers of a current table."
            )
