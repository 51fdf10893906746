"""Inputs of a comparison: the rows that judge, each model's scores of them, the bundle's check."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict
from scipy.special import expit

from churn.contract import DataContract
from churn.evaluation.weighted import Floats, Labels
from churn.features.encoding import Columns, row_count
from churn.frozen_model import FrozenModel
from churn.promotion.decision import Verdict
from churn.promotion.digests import RowDigests, row_digests
from churn.promotion.row_sample import RowSample

_FEWEST = 2  # of each outcome; less has no spread


@dataclass(frozen=True, eq=False)
class GateRows:
    """The rows set aside: the same raw rows for every model.

    Attributes:
        columns: feature columns of n customers.
        target: int8[n], 1 for a customer who left.
        ids: n customer ids; None where they are not known.
        left_out: gate rows of the challenger that judge nobody: the champion knows their customers.

    Raises:
        ValueError: columns, target and ids differ in length.
    """

    columns: Columns
    target: Labels
    contract: DataContract
    ids: Sequence[str] | None = None
    left_out: int = 0

    def __post_init__(self) -> None:
        rows = row_count(self.columns)
        if rows != len(self.target):
            raise ValueError(f"{rows} gate rows and {len(self.target)} outcomes do not match")
        if self.ids is not None and rows != len(self.ids):
            raise ValueError(f"{rows} gate rows and {len(self.ids)} ids do not match")

    @property
    def rows(self) -> int:
        """How many customers."""
        return len(self.target)

    @cached_property
    def digests(self) -> RowDigests:
        """Digests that identify the rows."""
        return row_digests(self.columns, self.contract, self.ids)

    @property
    def sample(self) -> RowSample:
        """Which rows they are, small enough for the record."""
        return RowSample.of(self.digests)

    @property
    def sha256(self) -> str:
        """Digest of the rows and their outcomes, in their order."""
        content = self.digests.values.tobytes() + np.asarray(self.target, dtype=np.int8).tobytes()
        return hashlib.sha256(content).hexdigest()

    def problem(self) -> str | None:
        """Why no model can be measured on these rows; None where one can."""
        if not np.isin(self.target, (0, 1)).all():
            return "An outcome of the gate rows is neither 0 (stayed) nor 1 (left)"
        left = int(self.target.sum())
        if min(left, self.rows - left) < _FEWEST:
            return (
                f"Among {self.rows:,} gate rows {left:,} left and {self.rows - left:,} stayed, "
                "and a comparison needs both outcomes"
            )
        return None


@dataclass(frozen=True)
class TrainingVerdict:
    """What the challenger's training decided about it, and how well it measured it.

    Attributes:
        verdict: of its gates.
        reasons: sentences of the gates that held it back.
        overridden_by: the person who lets it be judged all the same; empty where nobody does.
        override_reason: why.
        model: name it is registered under.
        profile: of the training; None where it was not recorded.
        splits: of the cross-validation that measured it; 0 where no report has its recipe.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    overridden_by: str = ""
    override_reason: str = ""
    model: str = ""
    profile: str | None = None
    splits: int = 0


@dataclass(frozen=True, eq=False)
class Contender:
    """A model as the gates see it: its scores of the gate rows, through its own transform.

    Attributes:
        name: its name in the record, with its version.
        logit: float64[n], its log-odds of leaving.
        profit: float64[n], what acting on its scores at its threshold earns per customer, under
            the caller's stated assumptions; None where it was not computed.
        trained_on: digests of the rows it learned from, and of their customers; None where they
            were not kept.
        threshold: the probability from which on it selects a customer; None where it is not known.
    """

    name: str
    logit: Floats
    profit: Floats | None = None
    trained_on: RowDigests | None = None
    threshold: float | None = None

    def score_problem(self, rows: int) -> str | None:
        """Why its scores cannot be judged on that many gate rows; None where they can."""
        return _array_problem(f"{self.name}'s scores", self.logit, rows)

    def profit_problem(self, rows: int) -> str | None:
        """Why its profit cannot be judged on that many gate rows; None where it can."""
        if self.profit is None:
            return f"{self.name}'s profit on the gate rows is not known"
        return _array_problem(f"{self.name}'s profits", self.profit, rows)

    def selected(self) -> npt.NDArray[np.bool_] | None:
        """Which customers it selects at its threshold, bool[n]; None where that is not known."""
        if self.threshold is None or not 0 <= self.threshold <= 1:
            return None
        return np.asarray(expit(self.logit) >= self.threshold)


@dataclass(frozen=True, eq=False)
class FixedReference:
    """What no number of promotions may sink below; it does not move with the champion.

    Attributes:
        best: the best version ever in production, as `earlier_decisions.best_versions` says.
        baseline: the plain baseline, fitted on that version's training rows.
        note: what else a reader has to know about the choice; may be empty.
    """

    best: Contender
    baseline: Contender
    note: str = ""


def _array_problem(what: str, values: Floats, rows: int) -> str | None:
    if values.shape != (rows,):
        return f"{what} do not match the {rows:,} gate rows: their shape is {values.shape}"
    broken = int(np.sum(~np.isfinite(values)))
    return f"{what} are not finite numbers in {broken:,} of {rows:,} gate rows" if broken else None


class BundleCheck(FrozenModel):
    """Results of trying a challenger's scoring bundle.

    Attributes:
        loads: whether it loads and its checksums hold.
        golden_max_difference: largest gap between a golden row's score and the one it was written
            with, in log-odds; NaN where none was replayed.
        latency_ms_median: median time of scoring one row, in milliseconds; NaN where it was not measured.
        latency_budget_ms: what it may take.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    loads: bool
    golden_max_difference: float
    latency_ms_median: float
    latency_budget_ms: float
