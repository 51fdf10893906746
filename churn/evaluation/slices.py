"""How a model does within groups of customers, and how much the groups differ.

A group is judged only where it is large enough: `too few rows to tell` is a verdict of its own.
No interval is corrected for the number of groups: one in twenty may differ by chance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from churn.contract import DataContract
from churn.evaluation.delong import delong
from churn.evaluation.disparities import (
    METRICS,
    TOO_FEW,
    Disparity,
    Estimate,
    disparities,
    wilson_interval,
)
from churn.evaluation.intervals import Interval, normal_quantile
from churn.evaluation.metrics import validate_predictions
from churn.evaluation.plan import SliceSettings
from churn.evaluation.slicing import NO_GROUPS, Slice, declared_slices, rankable
from churn.evaluation.weighted import Floats, Labels
from churn.features.encoding import Columns, row_count
from churn.frozen_model import FrozenModel

SliceVerdict = Literal["measured", "too few rows to tell"]


class SliceReport(FrozenModel):
    """Figures of a model within one slice.

    Attributes:
        column: what groups the customers.
        value: what these have in common.
        positives: customers in it who left.
        verdict: `too few rows to tell` where no ROC-AUC can be given.
        roc_auc: within the slice, with DeLong's interval.
        calibration_gap: share who left less mean predicted probability; 0 is perfect.
        selection_rate: share at or above the threshold, with Wilson's interval.
        true_positive_rate: the same among those who left; None where these are too few.
        false_positive_rate: the same among those who stayed; None where these are too few.
    """

    column: str
    value: str
    rows: int = Field(ge=0)
    positives: int = Field(ge=0)
    verdict: SliceVerdict
    roc_auc: Estimate | None = None
    calibration_gap: Estimate | None = None
    selection_rate: Estimate | None = None
    true_positive_rate: Estimate | None = None
    false_positive_rate: Estimate | None = None

    @property
    def name(self) -> str:
        """The name in text."""
        return f"{self.column} = {self.value}"

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        parts = []
        if self.roc_auc:
            parts.append(f"ROC-AUC {self.roc_auc.text('.3f')}")
        if self.calibration_gap:
            off = "" if self.calibration_gap.interval.covers(0) else ", more than chance explains"
            gap = self.calibration_gap.text_in_points()
            parts.append(f"observed less predicted churn {gap}{off}")
        if self.selection_rate:
            parts.append(f"selected {self.selection_rate.text('.1%')}")
        if self.true_positive_rate:
            parts.append(f"of its leavers {self.true_positive_rate.text('.1%')}")
        if self.false_positive_rate:
            parts.append(f"of those who stayed {self.false_positive_rate.text('.1%')}")
        if self.verdict == TOO_FEW:
            parts.append("too few rows to tell the ROC-AUC" if parts else TOO_FEW)
        return (
            f"{self.name} ({self.rows:,} customers, {self.positives:,} left): {'; '.join(parts)}."
        )


class SlicesReport(FrozenModel):
    """Figures of a model within every declared slice.

    Attributes:
        threshold: the probability from which on a customer is selected.
        slices: by column, in the contract's order.
        disparities: every slice against the largest of its column.
        notes: what was left out, and why.
    """

    threshold: float
    settings: SliceSettings
    slices: tuple[SliceReport, ...]
    disparities: tuple[Disparity, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole report in one sentence."""
        if not self.slices:
            return NO_GROUPS
        measured = sum(each.verdict == "measured" for each in self.slices)
        off = [
            each.name
            for each in self.slices
            if each.calibration_gap and not each.calibration_gap.interval.covers(0)
        ]
        where = ", ".join(off)
        gaps = f"the predicted rate is off in {where}" if off else "no predicted rate is off"
        return (
            f"{measured} of {len(self.slices)} slices are large enough to measure "
            f"(at least {self.settings.minimum_rows:,} customers and {self.settings.minimum_each:,} "
            f"of each outcome); {gaps}."
        )


def evaluate_slices(
    columns: Columns,
    contract: DataContract,
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    threshold: float,
    *,
    settings: SliceSettings,
) -> SlicesReport:
    """Measures a model within every declared slice.

    Customers at or above the threshold are selected.

    Raises:
        ValueError: the arrays do not match, or hold something else than that.
        InputError: only one outcome occurs.
    """
    truth, chance = validate_predictions(target, probability)
    if row_count(columns) != len(truth):
        raise ValueError(f"{row_count(columns)} rows and {len(truth)} outcomes do not match")
    slices, notes = declared_slices(columns, contract)
    reports = [
        _measured(each, truth[each.member], chance[each.member], threshold, settings)
        for each in slices
    ]
    return SlicesReport(
        threshold=threshold,
        settings=settings,
        slices=tuple(reports),
        disparities=tuple(
            disparity
            for column, group in groupby(reports, key=lambda each: each.column)
            for disparity in _against_largest(column, list(group))
        ),
        notes=tuple(notes),
    )


def _measured(
    part: Slice, target: Labels, chance: Floats, threshold: float, settings: SliceSettings
) -> SliceReport:
    rows, left = len(target), int(target.sum())
    report = SliceReport(
        column=part.column, value=part.value, rows=rows, positives=left, verdict=TOO_FEW
    )
    if rows < settings.minimum_rows:
        return report
    residual = target - chance
    half = normal_quantile() * float(residual.std(ddof=1)) / np.sqrt(rows)
    gap = float(residual.mean())
    selected = chance >= threshold
    figures: dict[str, object] = {
        "calibration_gap": Estimate(
            value=gap,
            interval=Interval(lower=gap - half, upper=gap + half, method="normal, of residuals"),
        ),
        "selection_rate": _share(selected),
    }
    for name, outcome in (("true_positive_rate", 1), ("false_positive_rate", 0)):
        if (target == outcome).sum() >= settings.minimum_each:
            figures[name] = _share(selected[target == outcome])
    if rankable(target, settings):
        area = delong(target, chance)
        figures["roc_auc"] = Estimate(value=area.area, interval=area.interval())
        figures["verdict"] = "measured"
    return report.model_copy(update=figures)


def _share(selected: npt.NDArray[np.bool_]) -> Estimate:
    """The share of customers who are selected."""
    count, rows = int(selected.sum()), len(selected)
    return Estimate(value=count / rows, interval=wilson_interval(count, rows))


def _against_largest(column: str, reports: Sequence[SliceReport]) -> list[Disparity]:
    largest = max(reports, key=lambda each: each.rows)
    figures = {
        each.value: {metric: getattr(each, metric) for metric in METRICS} for each in reports
    }
    return disparities(column, largest.value, figures)
