"""Valuable customers who have left since and were not on the call list: how many, which, and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from churn.campaign.campaign_plan import reason_without_amounts
from churn.campaign.earlier_lists import CALL_LIST, NOT_CALLED, earlier_days
from churn.frozen_model import FrozenModel
from churn.ledger.prediction import Outcome
from churn.retention.cohorts import ALIKE, UPPER, value_thirds


class MissedLeavers(FrozenModel):
    """What has become of an earlier list.

    Attributes:
        day: of the list.
        with_outcome: customers of it who were not called and whose outcome is known.
        left: of these, who left.
        missed: of these, who were of the upper third of the values; all where all were worth the same.
        alike: whether all were.
        margin: expected of the missed ones when the list was made.
        reasons: why they were not called -> how many.
    """

    day: date
    with_outcome: int
    left: int
    missed: int
    alike: bool
    margin: float
    reasons: dict[str, int]

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        why = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.items())
        who = "customers" if self.alike else "customers of the upper third of the values"
        return (
            f"Of the list of {self.day}, {self.missed:,} {who} have left without a call, worth "
            f"{self.margin:,.0f}" + (f": {why}." if why else ".")
        )


def audit_last_list(
    folder: Path, before: date, outcomes: Mapping[str, Outcome]
) -> tuple[MissedLeavers, pa.Table] | None:
    """The newest earlier list some of whose customers have an outcome, and its missed leavers.

    Args:
        folder: with the lists by day.
        before: lists of earlier days.
        outcomes: customer id -> the last outcome recorded.
    """
    for day, path in earlier_days(folder, before):
        listed, called = (_read(path / name) for name in (NOT_CALLED, CALL_LIST))
        ids = listed["customer_id"].to_pylist()
        known = [_observed_after(outcomes.get(each), day) for each in ids]
        if not any(outcome is not None for outcome in known):
            continue
        left = np.array([outcome is not None and outcome.churned for outcome in known])
        values = [table["value"].to_numpy() for table in (listed, called)]
        together = np.concatenate(values)
        third = value_thirds(together)
        upper = third == UPPER
        if not upper.any():  # the highest value is that of more than two thirds
            upper = together == together.max()
        missed = listed.filter(pa.array(left & upper[: listed.num_rows]))
        reasons = Counter(reason_without_amounts(why) for why in missed["why"].to_pylist())
        return (
            MissedLeavers(
                day=day,
                with_outcome=sum(outcome is not None for outcome in known),
                left=int(left.sum()),
                missed=missed.num_rows,
                alike=ALIKE in third,
                margin=float(missed["value"].to_numpy().sum()),
                reasons=dict(reasons.most_common()),
            ),
            missed,
        )
    return None


def _read(path: Path) -> pa.Table:
    """A list; ids that look like numbers are none."""
    options = csv.ConvertOptions(column_types={"customer_id": pa.string()})
    return csv.read_csv(path, convert_options=options)


def _observed_after(outcome: Outcome | None, day: date) -> Outcome | None:
    if outcome is None or outcome.observed_at.date() < day:
        return None
    return outcome
