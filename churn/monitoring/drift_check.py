"""One check: does this window of customers still look like the training rows?

Three looks: every column's binned chi-square and the model's score (KS) together, by the smallest
p-value; and a classifier that tries to tell the window from the reference, which sees what no column
shows by itself. Each gets its share of the level, so that without drift all of them together fire in
at most that share of checks (Bonferroni). What fires says `watch`: a single check has no right to
an alarm (`churn.monitoring.alarms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from churn.contract import DataContract
from churn.distances import Distance, expected_gap, psi, wasserstein
from churn.features.encoding import Columns, Floats
from churn.frozen_model import FrozenModel
from churn.monitoring.calibration import FEWEST_ROWS, binned_ks, column_test, smallest_p_value
from churn.monitoring.classifier_test import ClassifierTest, classifier_test
from churn.monitoring.drift_reference import Counts, DriftReference, NumberReference, quantiles
from churn.monitoring.slice_drift import SliceDrift, slice_drifts

Finding = Literal["ok", "watch", "cannot tell"]

WATCH_LEVEL = 0.05
COLUMNS_SHARE, CLASSIFIER_SHARE = 0.6, 0.4
"""Of the level: of the columns and the score, and of the classifier."""

_SHOWN_SHARE = 1e-4
"""The least share of windows that a sentence gives as a number."""

_NO_CALIBRATION = (
    "The bundle has no calibration: it was written by an earlier release, or from fewer than 200 "
    "training rows. Train again, and promote the new version."
)


class ColumnDrift(FrozenModel):
    """How one column of the window compares with the training rows.

    Attributes:
        name: of the column.
        p_value: of its own chi-square test, not corrected for the other columns.
        psi: population stability index, in nats.
        psi_expected: what chance alone gives at this many rows.
        moved: numbers only: mean distance that a row has moved, in the column's unit (Wasserstein).
        moved_expected: what chance alone gives.
        unknown: share of the window that is blank, or a category that is none.
    """

    name: str
    p_value: float = Field(ge=0, le=1)
    psi: float
    psi_expected: float
    moved: float | None = None
    moved_expected: float | None = None
    unknown: float = Field(ge=0, le=1)


class CheckResult(FrozenModel):
    """What one check found.

    Attributes:
        finding: ok, watch (at `watch_level`), or cannot tell.
        reason: in words.
        rows: of the window.
        reference_rows: of the training table.
        p_value: of the whole check, corrected for everything it looks at; None where it cannot tell.
        columns_p_value: of the columns and the score together, calibrated by permutation.
        classifier_p_value: of the classifier; None where it was left out.
        classifier_roc_auc: how well it tells the window from the reference; 0.5 is chance.
        score_gap: largest gap between the score's distribution functions, at the bins' edges (KS).
        score_gap_expected: what chance alone gives.
        columns: every column, in the reference's order.
        slices: the score within groups of customers; none where no contract was given.
    """

    finding: Finding
    reason: str
    rows: int = Field(ge=0)
    reference_rows: int = Field(ge=0)
    p_value: float | None = Field(default=None, ge=0, le=1)
    columns_p_value: float | None = Field(default=None, ge=0, le=1)
    classifier_p_value: float | None = Field(default=None, ge=0, le=1)
    classifier_roc_auc: float | None = None
    score_gap: float | None = None
    score_gap_expected: float | None = None
    columns: tuple[ColumnDrift, ...] = ()
    slices: tuple[SliceDrift, ...] = ()

    @property
    def hypotheses(self) -> tuple[ColumnDrift | SliceDrift, ...]:
        """What may have moved: columns, then slices."""
        return (*self.columns, *self.slices)


def check_drift(
    reference: DriftReference,
    columns: Columns,
    probability: Floats,
    *,
    watch_level: float = WATCH_LEVEL,
    classifier: bool = True,
    contract: DataContract | None = None,
) -> CheckResult:
    """Compares a window with the reference of the bundle that scored it.

    Args:
        reference: of the bundle.
        columns: the window's feature columns [n], by the bundle's contract; a blank number is NaN,
            an unknown category a code below 0.
        probability: float64[n], what the bundle's model says of them.
        watch_level: share of checks without drift that say `watch`, at most.
        classifier: whether to train a classifier as well.
        contract: declares the slices in which the score is compared; they tell where, and have no
            part in the finding.

    Raises:
        InputError: a column is missing.
    """
    rows = len(probability)
    calibration = reference.calibration
    if calibration is None or rows < FEWEST_ROWS:
        return CheckResult(
            finding="cannot tell",
            reason=_NO_CALIBRATION if calibration is None else _few_rows(rows),
            rows=rows,
            reference_rows=reference.rows,
        )
    codes = reference.codes(columns, probability)
    before = reference.counts()
    after = tuple(
        np.bincount(codes[:, place], minlength=len(each)) for place, each in enumerate(before)
    )
    columns_p = calibration.p_value(float(smallest_p_value(before, after)), rows, reference.rows)
    tested = classifier_test(calibration.sample[:, :-1], codes[:, :-1]) if classifier else None
    p_value = _both(columns_p, tested)
    return CheckResult(
        finding="watch" if p_value <= watch_level else "ok",
        reason=_reason(p_value, rows, fires=p_value <= watch_level),
        rows=rows,
        reference_rows=reference.rows,
        p_value=p_value,
        columns_p_value=columns_p,
        classifier_p_value=tested.p_value if tested else None,
        classifier_roc_auc=tested.roc_auc if tested else None,
        score_gap=float(binned_ks(before[-1], after[-1])[0]),
        score_gap_expected=expected_gap(reference.rows, rows),
        columns=_columns(reference, columns, before, after),
        slices=slice_drifts(reference, codes, contract) if contract else (),
    )


def _both(columns_p: float, tested: ClassifierTest | None) -> float:
    """The p-value of the whole check: each part has its share of the level."""
    if tested is None:
        return columns_p
    return min(1.0, columns_p / COLUMNS_SHARE, tested.p_value / CLASSIFIER_SHARE)


def _few_rows(rows: int) -> str:
    return (
        f"The window has {rows} rows, and a check needs {FEWEST_ROWS}. Wait for more, or check a "
        "longer window."
    )


def _reason(p_value: float, rows: int, *, fires: bool) -> str:
    if fires:
        # The law of chance is known to one in some ten thousand windows, and a p-value may be 0.
        share = f"{p_value:.2%} of" if p_value >= _SHOWN_SHARE else "fewer than 1 in 10,000"
        return (
            f"Something moved: without drift, {share} windows of {rows:,} rows would differ as "
            "much."
        )
    return f"Without drift, {p_value:.0%} of windows of {rows:,} rows differ as much, or more."


def _columns(
    reference: DriftReference, columns: Columns, before: Sequence[Counts], after: Sequence[Counts]
) -> tuple[ColumnDrift, ...]:
    found = []
    for name, was, now in zip(reference.names, before, after, strict=False):  # not the score
        # A bin for what has none would add to the index by its half row alone.
        bins = slice(None) if now[-1] else slice(-1)
        distance = psi(was[bins], now[bins])
        moved = None
        if number := reference.numbers.get(name):
            moved = _moved(number, np.asarray(columns[name], dtype=np.float64), reference.rows)
        found.append(
            ColumnDrift(
                name=name,
                p_value=float(column_test(was, now).p_value),
                psi=distance.value,
                psi_expected=distance.expected,
                moved=moved.value if moved else None,
                moved_expected=moved.expected if moved else None,
                unknown=float(now[-1] / now.sum()),
            )
        )
    return tuple(found)


def _moved(number: NumberReference, values: NDArray[Any], rows: int) -> Distance | None:
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    return wasserstein(number.quantiles, quantiles(known), rows=(rows, known.size))
