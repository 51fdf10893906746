"""Settings of an evaluation: resampling plans, floors and promotion margins.

Settings only, so that the configuration can be read without loading a statistics library.
"""

from __future__ import annotations

from math import pi
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from churn.frozen_model import FrozenSettings

Folds = Annotated[int, Field(ge=2, le=20, description="parts the rows are cut into")]
Repeats = Annotated[int, Field(ge=1, le=100, description="times the rows are cut again")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="fixes every cut and every draw")]
RecipeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

SelectionRule = Literal["best", "one_standard_error"]
STEADIER_REASONS = (
    "a blend averages its members, so its reasons depend less on which customers were drawn for "
    "training (docs/evaluation.md has figures)"
)


class SelectionPlan(FrozenSettings):
    """Repeated stratified cross-validation that chooses a candidate on the development rows.

    Attributes:
        rule: `best` takes the highest mean ROC-AUC, `one_standard_error` the simplest candidate
            within one standard error of it; `candidates` names the simplest first.
        reason: why the best is taken although a simpler one cannot be distinguished from it.
    """

    folds: Folds = 5
    repeats: Repeats = 2
    seed: Seed = 11
    rule: SelectionRule = "best"
    reason: str = STEADIER_REASONS

    @model_validator(mode="after")
    def _the_best_needs_a_reason(self) -> Self:
        if self.rule == "best" and not self.reason.strip():
            raise ValueError(
                "selection.rule 'best' needs selection.reason: why a simpler candidate that cannot be "
                "distinguished is not taken; or set selection.rule to one_standard_error"
            )
        return self

    def as_protocol(self) -> ProtocolPlan:
        """The same cuts as a protocol plan, without the bootstrap that choosing does not need."""
        return ProtocolPlan(
            folds=self.folds, repeats=self.repeats, seed=self.seed, bootstrap_samples=0
        )


class ProtocolPlan(FrozenSettings):
    """Repeated stratified cross-validation that yields a figure with its interval.

    The interval resamples the customers `bootstrap_samples` times; 0 leaves it out.
    """

    folds: Folds = 5
    repeats: Repeats = 10
    seed: Seed = 7
    bootstrap_samples: Annotated[int, Field(ge=0, le=20_000)] = 2000

    @property
    def splits(self) -> int:
        """Number of times every recipe is fitted and judged."""
        return self.folds * self.repeats

    @property
    def sentence(self) -> str:
        """The protocol in words, the way a report quotes it."""
        times = "done once" if self.repeats == 1 else f"repeated {self.repeats} times with new cuts"
        text = (
            f"{self.folds}-fold stratified cross-validation, {times} (seed {self.seed}): "
            f"every recipe is fitted {self.splits} times and judged on rows it has not seen"
        )
        if self.bootstrap_samples:
            text += (
                "; the 95% interval resamples the customers "
                f"{self.bootstrap_samples:,} times, the fitted models held fixed"
            )
        return text + "."


class ProtocolSettings(ProtocolPlan):
    """A protocol plan with the two recipes named before the run: the baseline and the one that is judged."""

    baseline: RecipeName = "logistic"
    frozen_recipe: RecipeName = "blend"


class Floors(FrozenSettings):
    """What every model must clear; `baseline_margin` is asked only where there is no champion.

    Attributes:
        roc_auc_lower: the lower 95% bound of the gate rows' ROC-AUC must reach this.
        ece_upper: the upper 95% bound of the gate rows' calibration error may not exceed this.
        roc_auc_half_width: how well the gate rows must tell a ROC-AUC at the floor: its 95% interval
            reaches no further up and down. As far as a model has to clear the floor by.
        minimum_rows: fewer gate rows than this decide nothing; None for as many as that takes.
        baseline_margin: ROC-AUC by which a model may trail the plain baseline and still count as
            not worse (a non-inferiority margin, fixed before the run).
        roc_auc_upper: a model that ranks the gate rows better than this is too good to be true.
        column_roc_auc_upper: the same for a single column.
    """

    roc_auc_lower: Annotated[float, Field(gt=0.5, lt=1)] = 0.80
    ece_upper: Annotated[float, Field(gt=0, lt=1)] = 0.05
    roc_auc_half_width: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    minimum_rows: Annotated[int, Field(ge=1)] | None = None
    baseline_margin: Annotated[float, Field(ge=0, lt=0.1)] = 0.002
    roc_auc_upper: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    column_roc_auc_upper: Annotated[float, Field(gt=0.5, le=1)] = 0.90


class SliceSettings(FrozenSettings):
    """When a group of customers is large enough to be measured.

    Attributes:
        minimum_rows: customers, below which nothing is reported.
        minimum_each: customers of either outcome, below which no ROC-AUC is given.
    """

    minimum_rows: Annotated[int, Field(ge=10)] = 100
    minimum_each: Annotated[int, Field(ge=5)] = 30


def confidence_at_look(confidence: float, look: int) -> float:
    """Confidence of the k-th look at growing evidence: 1 - (1 - confidence) 6 / (pi k)^2.

    These shares of the level sum to 1: any number of looks err together no more often than a
    single one may.

    Examples:
        >>> [round(confidence_at_look(0.95, look), 4) for look in (1, 2, 10)]
        [0.9696, 0.9924, 0.9997]
    """
    return 1 - (1 - confidence) * 6 / (pi * look) ** 2


class PromotionSettings(FrozenSettings):
    """What a challenger must show against the champion; fixed before they are compared.

    Attributes:
        roc_auc_margin: ROC-AUC by which a challenger may trail the champion, and the frozen
            baseline, and still count as not worse.
        profit_margin: the same for expected profit, as a share of the champion's.
        total_roc_auc_margin: ROC-AUC by which it may trail the best version so far. However many
            are promoted one after the other, they lose no more than this together.
        total_profit_margin: the same for expected profit, as a share of that version's.
        slice_margin: ROC-AUC by which a challenger may trail within one slice.
        slice_tpr_margin: share of a slice's leavers by which it may reach fewer than the champion.
        slice_calibration_margin: probability by which the mean prediction of a slice may be off.
        roc_auc_jump: ROC-AUC by which a challenger may lead before that is too good to be true.
        protocol_splits: splits of the cross-validation that must have measured the challenger.
        confidence: of all looks at the same gate rows together; see `confidence_at`. Bounds
            within slices do not share it.
        golden_tolerance: how far a bundle's scores may lie from the ones it was written with.
        slices: when a slice is counted.
        bootstrap_samples: resamplings of the customers behind the floors' intervals.
        seed: fixes them.
    """

    roc_auc_margin: Annotated[float, Field(gt=0, lt=0.1)] = 0.01
    profit_margin: Annotated[float, Field(ge=0, lt=1)] = 0.05
    total_roc_auc_margin: Annotated[float, Field(gt=0, lt=0.1)] = 0.005
    total_profit_margin: Annotated[float, Field(ge=0, lt=1)] = 0.05
    slice_margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.03
    slice_tpr_margin: Annotated[float, Field(ge=0, lt=1)] = 0.10
    slice_calibration_margin: Annotated[float, Field(ge=0, lt=1)] = 0.05
    roc_auc_jump: Annotated[float, Field(gt=0, le=1)] = 0.05
    protocol_splits: Annotated[int, Field(ge=2, le=10_000)] = 50
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    golden_tolerance: Annotated[float, Field(gt=0, lt=0.01)] = 1e-6
    slices: SliceSettings = SliceSettings()
    bootstrap_samples: Annotated[int, Field(ge=100, le=20_000)] = 2000
    seed: Seed = 7

    def confidence_at(self, look: int) -> float:
        """Confidence of the one-sided bounds at the k-th look."""
        return confidence_at_look(self.confidence, look)
