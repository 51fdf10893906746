"""Settings of each validator. They come from a stack's file, so a text that spells a number is one."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from churn.checks.deepchecks.deepchecks_report import SuiteName
from churn.checks.deepchecks.deepchecks_settings import SHOWN_ONLY
from churn.contract import DataContract
from churn.data.quality.quality_report import Topic
from churn.errors import InputError
from churn.frozen_model import FrozenModel

Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]

TOPICS: tuple[Topic, ...] = ("table", "types", "blanks", "values", "relations", "distribution")
DATA_SUITES: tuple[SuiteName, ...] = ("data_integrity", "train_test_validation")


class ValidatorSettings(FrozenModel):
    """Settings that every validator has.

    Attributes:
        maximum_rows: reference rows, and current rows, that are checked; of more, that many are
            drawn.
        seed: fixes the draw, and the library's own where it has one.
    """

    maximum_rows: Annotated[int, Field(ge=200)] = 100_000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 7


class PsiSettings(ValidatorSettings):
    """Limits of a column's population stability index: for a warning, and for a failure.

    Attributes:
        psi_warning: above it a column asks for attention; None takes the contract's.
        psi_critical: above it a column fails; None takes the contract's.
    """

    psi_warning: Limit | None = None
    psi_critical: Limit | None = None

    @model_validator(mode="after")
    def _noticed_before_failed(self) -> Self:
        if self.psi_warning and self.psi_critical and self.psi_warning > self.psi_critical:
            raise ValueError("psi_warning must not lie above psi_critical")
        return self

    def limits(self, contract: DataContract) -> tuple[float, float]:
        """The two limits, the contract's where none is given here.

        Raises:
            InputError: the one that is given lies on the wrong side of the contract's other.
        """
        warning = self.psi_warning or contract.expectations.psi_warning
        critical = self.psi_critical or contract.expectations.psi_critical
        if warning > critical:
            raise InputError(
                f"The validator's psi_warning {warning:g} lies above its psi_critical "
                f"{critical:g}; set both in the stack's file (contract '{contract.name}' says "
                f"{contract.expectations.psi_warning:g} and "
                f"{contract.expectations.psi_critical:g})."
            )
        return warning, critical


class GreatExpectationsSettings(PsiSettings):
    """Settings of Great Expectations.

    Attributes:
        topics: the groups of the contract's checks that are judged.
    """

    topics: list[Topic] = Field(default=list(TOPICS), min_length=1)


class DeepchecksSettings(ValidatorSettings):
    """Settings of Deepchecks.

    Attributes:
        suites: which of its suites about data are run.
        drift_limit: a column whose drift score (Cramér's V, Kolmogorov-Smirnov) reaches it fails.
        shown_only: check -> why its failure only asks for attention; every other failure fails.
    """

    maximum_rows: Annotated[int, Field(ge=200)] = 20_000
    suites: list[SuiteName] = Field(default=list(DATA_SUITES), min_length=1)
    drift_limit: Annotated[float, Field(gt=0, le=1)] = 0.2
    shown_only: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=lambda: dict(SHOWN_ONLY)
    )

    @model_validator(mode="after")
    def _about_data(self) -> Self:
        if "model_evaluation" in self.suites:
            raise ValueError(f"suites can be {' and '.join(DATA_SUITES)}; a model is not at hand")
        return self


class EvidentlySettings(PsiSettings):
    """Settings of Evidently.

    Attributes:
        missing_limit: share of a column's current rows that may be blank.
        outside_limit: share of a column's current rows that may lie outside the contract's
            categories or range.
    """

    missing_limit: Annotated[float, Field(ge=0, le=1)] = 0.0
    outside_limit: Annotated[float, Field(ge=0, le=1)] = 0.0
