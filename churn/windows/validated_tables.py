"""Window and reference as the tables that a data validator compares.

A bundle keeps bins of training rows, no values. So both sides are shown as bins: a number as the
middle value of its bin among the training rows, the outcome as the model's decision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.checks.validators.validator_report import ValidatorFinding, ValidatorReport
from churn.contract import DataContract
from churn.monitoring.drift_reference import Codes, DriftReference, NumberReference
from churn.windows.window import Window


def validated_tables(
    window: Window, reference: DriftReference, contract: DataContract, threshold: float
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The reference's table and the window's; None where one of them has no rows."""
    if reference.calibration is None or not window.facts.rows:
        return None
    before = reference.calibration.sample
    after = reference.codes(window.columns, window.probability)
    return (
        _table(before, reference, contract, threshold),
        _table(after, reference, contract, threshold),
    )


def nothing_validated(validator: str, contract: DataContract, reason: str) -> ValidatorReport:
    """The report of a validator that had nothing to compare: attention, never fine."""
    finding = ValidatorFinding(check="rows", verdict="warn", sentence=reason)
    return ValidatorReport(
        validator=validator,
        version="(not run)",
        contract=contract.name,
        contract_digest=contract.digest(),
        title=contract.title,
        target=contract.target.name,
        reference_rows=0,
        current_rows=0,
        verdict="warn",
        findings=(finding,),
    )


def _table(
    codes: Codes, reference: DriftReference, contract: DataContract, threshold: float
) -> pd.DataFrame:
    found: dict[str, Any] = {}
    for place, name in enumerate(reference.names):
        if name in reference.numbers:
            found[name] = np.append(_middles(reference.numbers[name]), np.nan)[codes[:, place]]
        else:
            words = (*contract.column(name).categories, None)  # type: ignore[union-attr]  # coded
            found[name] = np.array(words, object)[codes[:, place]]
    decided = _middles(reference.scores) >= threshold
    stays, leaves = contract.target.categories
    outcomes = np.array([*np.where(decided, leaves, stays), None], object)
    found[contract.target.name] = outcomes[codes[:, -1]]
    found[contract.id.name] = np.arange(len(codes)).astype(str)
    rest = {name: [None] * len(codes) for name in contract.names if name not in found}
    return pd.DataFrame(found | rest)[list(contract.names)]


def _middles(number: NumberReference) -> NDArray[np.float64]:
    """A training value from the middle of each bin."""
    bins = np.searchsorted(number.edges, number.quantiles, side="right")
    first = np.searchsorted(bins, np.arange(len(number.counts)), side="left")
    last = np.searchsorted(bins, np.arange(len(number.counts)), side="right")
    places = np.clip((first + last) // 2, 0, len(number.quantiles) - 1)
    return np.asarray(number.quantiles[places], dtype=np.float64)
