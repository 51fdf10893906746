"""Runs the quality gate's own suite of Great Expectations 1.x on current rows and reference rows.

The suite is the one that the contract generates (`churn.data.quality`). Two things differ from the gate:
distributions are compared with the reference rows instead of the accepted table, and the
number of rows is not judged, because the contract's bounds are about whole tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import pandas as pd

from churn.checks.validators.validator_report import (
    ValidatorFinding,
    ValidatorReport,
    drift_sentence,
)
from churn.checks.validators.validator_settings import TOPICS, GreatExpectationsSettings
from churn.checks.validators.validator_tables import prepare_tables
from churn.contract import DataContract
from churn.data.quality import Check, check
from churn.data.quality.distribution_rules import shifts
from churn.data.quality.psi import Shift
from churn.errors import InputError, error_reason

_COUNTED = ("types", "blanks", "values")
_NOT_JUDGED = "number of rows"
_SIZE = "The number of rows was not judged: the contract's bounds are about whole tables."


def validate(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    settings: GreatExpectationsSettings,
    *,
    target: str,
) -> ValidatorReport:
    """Compares current rows with reference rows, as `DataValidator.validate` says.

    Raises:
        InputError: Great Expectations is not installed, or a table cannot be checked.
    """
    version = _version()
    warning, critical = settings.limits(contract)
    tables = prepare_tables(reference, current, contract, settings, target=target)
    limited = _with_limits(contract, warning, critical)
    moved = shifts(tables.current, tables.reference, limited)
    report = check(tables.current, limited, tables.reference)
    findings = tuple(
        _finding(each, moved)
        for each in report.checks
        if each.topic in settings.topics and each.name != _NOT_JUDGED
    )
    left_out = [topic for topic in TOPICS if topic not in settings.topics]
    notes = (
        _SIZE,
        *((f"Left out by the stack's settings: {', '.join(left_out)}.",) if left_out else ()),
        *report.notes,
    )
    return tables.report("Great Expectations", version, findings, notes)


def _version() -> str:
    try:
        # Imported here because it takes seconds of CPU.
        return str(import_module("great_expectations").__version__)
    except ImportError as error:
        reason = error_reason(error)
        raise InputError(
            f"The stack's validator needs Great Expectations, which cannot be loaded ({reason}): "
            "install it with make setup."
        ) from None


def _with_limits(contract: DataContract, warning: float, critical: float) -> DataContract:
    """The contract with the stack's limits for distributions; everything else is as it was."""
    expectations = contract.expectations.model_copy(
        update={"psi_warning": warning, "psi_critical": critical}
    )
    return contract.model_copy(update={"expectations": expectations})


def _finding(found: Check, moved: Mapping[str, Shift]) -> ValidatorFinding:
    column = found.columns[0] if len(found.columns) == 1 else ""
    figure = threshold = None
    sentence = found.sentence
    if found.topic in _COUNTED:
        figure, threshold = float(found.failing_count), 0.0
    elif found.topic == "distribution" and column in moved:
        shift, limit = moved[column], found.expected.rpartition(" ")[2]
        figure, threshold = shift.psi, float(limit)
        sentence = drift_sentence(column, f"PSI {figure:.3f}", limit, drifted=not found.success)
        if not found.success:
            sentence += (
                f"; most of all, {shift.mover} went from {shift.was:.1%} to {shift.now:.1%} of rows"
            )
        sentence += "."
    if not found.success and found.topic != "distribution":
        sentence = f"{sentence} {found.way_out}"
    return ValidatorFinding(
        check=found.name,
        column=column,
        figure=figure,
        threshold=threshold,
        verdict=found.verdict,
        sentence=sentence,
    )
