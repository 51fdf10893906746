"""Logistic regressions: the plain one, the baseline to beat, and one on splines of the numbers.

Both are additive, so their reasons are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from churn.features.encoding import Columns
from churn.models.candidate import Target
from churn.models.linear.additive import AdditiveModel
from churn.models.linear.design import spline, standardised
from churn.models.linear.regression import (
    RegressionCandidate,
    design_blocks,
    fit_additive,
    require_both_outcomes,
)
from churn.models.recipe_settings import LogisticSettings, SplineLogisticSettings


@dataclass(frozen=True)
class LogisticCandidate(RegressionCandidate[LogisticSettings]):
    """One-hot categories and standardised numbers."""

    def fit(self, columns: Columns, target: Target) -> AdditiveModel:
        """Learns from n rows.

        Raises:
            InputError: a column is missing, a code unknown, or only one outcome occurs.

        Examples:
            >>> from pathlib import Path
            >>> from churn.contract import load_contract
            >>> from churn.data import acquire
            >>> from churn.features.encoding import encode, encode_target
            >>> contract = load_contract(Path("data/contracts/telco.yaml"))
            >>> table = acquire("bundled", contract, root=Path(), cache=Path(".churn")).frame
            >>> columns, target = encode(table, contract), encode_target(table, contract)
            >>> candidate = LogisticCandidate.from_settings("mine", LogisticSettings(), contract)
            >>> model = candidate.fit(columns, target)
            >>> model.logit(columns)[:3].round(4).tolist()
            [0.5537, -3.1174, -0.877]
            >>> parts = dict(zip(model.features, model.contributions(columns)[0], strict=True))
            >>> round(float(parts["Contract"]), 4)
            0.4669
        """
        require_both_outcomes(target, self.name)
        return fit_additive(
            design_blocks(self.inputs, columns, standardised),
            target,
            c=self.settings.c,
            balanced=self.settings.class_weight == "balanced",
            engineered=self.inputs.without_steps(),
        )


@dataclass(frozen=True)
class SplineLogisticCandidate(RegressionCandidate[SplineLogisticSettings]):
    """One-hot categories and cubic splines of the numbers."""

    def fit(self, columns: Columns, target: Target) -> AdditiveModel:
        """Learns from n rows; errors as of `LogisticCandidate.fit`."""
        require_both_outcomes(target, self.name)
        return fit_additive(
            design_blocks(self.inputs, columns, partial(spline, knots=self.settings.knots)),
            target,
            c=self.settings.c,
            engineered=self.inputs.without_steps(),
        )
