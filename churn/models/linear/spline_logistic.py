"""Logistic regression on splines: additive, so its reasons are exact, and hard to beat here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from churn.features.encoding import Columns
from churn.models.candidate import Target
from churn.models.linear.additive import AdditiveModel
from churn.models.linear.design import spline
from churn.models.linear.regression import (
    RegressionCandidate,
    design_blocks,
    fit_additive,
    require_both_outcomes,
)
from churn.models.recipe_settings import SplineLogisticSettings


@dataclass(frozen=True)
class SplineLogisticCandidate(RegressionCandidate[SplineLogisticSettings]):
    """One-hot categories and cubic splines of the numbers."""

    def fit(self, columns: Columns, target: Target) -> AdditiveModel:
        """Learns from n rows.

        Raises:
            InputError: a column is missing, a code unknown, or only one outcome occurs.
        """
        require_both_outcomes(target, self.name)
        return fit_additive(
            design_blocks(self.inputs, columns, partial(spline, knots=self.settings.knots)),
            target,
            c=self.settings.c,
            engineered=self.inputs.without_steps(),
        )
