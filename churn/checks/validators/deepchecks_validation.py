"""Runs the two data suites of Deepchecks 0.19, with reference rows as "train", current as "test".

The suites, what is left out of them and what may fail are those of `churn.checks.deepchecks`; there a
model is judged as well. Here the drift of each column is a finding of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from churn.checks.deepchecks.adapter import Deepchecks, load_deepchecks
from churn.checks.deepchecks.deepchecks_findings import read_findings
from churn.checks.deepchecks.deepchecks_report import Finding, SuiteName
from churn.checks.deepchecks.deepchecks_tables import deepchecks_table
from churn.checks.deepchecks.suites import (
    check_keys,
    make_dataset,
    remove_left_out,
    require_known_checks,
    shipped_suites,
)
from churn.checks.validators.validator_report import (
    ValidatorFinding,
    ValidatorReport,
    drift_finding,
)
from churn.checks.validators.validator_settings import DeepchecksSettings
from churn.checks.validators.validator_tables import Tables, prepare_tables
from churn.contract import DataContract
from churn.data.quality.verdict import Verdict, worst_verdict
from churn.errors import InputError
from churn.features.encoding import encode

_DRIFT = "FeatureDrift"
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")
_WORDS = "In Deepchecks' words, train is the reference rows and test the current ones."
_REFERENCE, _CURRENT, _BOTH = "reference rows", "current rows", "reference against current rows"


def validate(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    settings: DeepchecksSettings,
    *,
    target: str,
) -> ValidatorReport:
    """Compares current rows with reference rows, as `DataValidator.validate` says.

    Raises:
        InputError: Deepchecks is not installed, the settings name a check that it does not have,
            or a table cannot be checked.
    """
    tables = prepare_tables(reference, current, contract, settings, target=target)
    findings: list[ValidatorFinding] = []
    notes = [_WORDS]
    with load_deepchecks() as deepchecks:
        suites = shipped_suites(deepchecks, contract, settings.seed)
        require_known_checks(settings.shown_only, suites, "The validator's shown_only")
        for name in settings.suites:
            left_out = remove_left_out(suites[name], name)
            notes += [f"{each.check} was not run: {each.reason}." for each in left_out]
        for found, familiar, drift in _answers(deepchecks, suites, tables, contract, settings):
            findings += _ours(found, drift, contract, settings.drift_limit, familiar=familiar)
    return tables.report("Deepchecks", deepchecks.version, findings, notes)


def run_suites(
    deepchecks: Deepchecks,
    suites: Mapping[SuiteName, Any],
    tables: Tables,
    contract: DataContract,
    names: Sequence[SuiteName],
) -> dict[tuple[SuiteName, str], Any]:
    """Deepchecks' own results: (suite, rows it checked) -> `SuiteResult`.

    The integrity suite looks at the reference rows, too, so that what they show as well is no news.

    Raises:
        InputError: a column holds a value outside the contract's categories.
    """
    for side, table in ((_REFERENCE, tables.reference), (_CURRENT, tables.current)):
        try:
            encode(table, contract)
        except InputError as error:
            raise InputError(f"The {side} cannot be shown to Deepchecks: {error}") from None
    both = deepchecks_table(
        pd.concat([tables.reference, tables.current], ignore_index=True), contract
    )
    cut = len(tables.reference)
    reference, current = (
        make_dataset(deepchecks, rows, contract) for rows in (both.iloc[:cut], both.iloc[cut:])
    )
    results: dict[tuple[SuiteName, str], Any] = {}
    for name in names:
        # Without display, which is slow and shows customers.
        if name == "data_integrity":
            for side, rows in ((_REFERENCE, reference), (_CURRENT, current)):
                results[name, side] = suites[name].run(rows, with_display=False)
        else:
            results[name, _BOTH] = suites[name].run(reference, current, with_display=False)
    return results


def _answers(
    deepchecks: Deepchecks,
    suites: Mapping[SuiteName, Any],
    tables: Tables,
    contract: DataContract,
    settings: DeepchecksSettings,
) -> Iterator[tuple[Finding, bool, Mapping[str, Any]]]:
    """Each finding, whether the reference rows show it as well, and the scores of a drift check."""
    for suite in suites.values():
        _hold_drift_to(suite, settings.drift_limit)
    familiar: set[tuple[str, str]] = set()
    results = run_suites(deepchecks, suites, tables, contract, settings.suites)
    for (name, rows), result in results.items():
        order = list(check_keys(suites[name]))  # Deepchecks sorts by what failed
        found = sorted(
            read_findings(result, name, rows, settings.shown_only),
            key=lambda each: order.index(each.check),
        )
        if rows == _REFERENCE:
            familiar = {(each.check, each.condition) for each in found if each.verdict == "warn"}
            continue
        drift_result = next((r for r in result.results if type(r.check).__name__ == _DRIFT), None)
        scores = getattr(drift_result, "value", None)  # a check that broke off has none
        for each in found:
            known = each.verdict == "warn" and (each.check, each.condition) in familiar
            drift = scores if each.check == _DRIFT and isinstance(scores, Mapping) else {}
            yield each, known, drift


def _hold_drift_to(suite: Any, limit: float) -> None:
    """Gives the check of single columns the limit of the settings instead of Deepchecks' 0.2."""
    for check in suite.checks.values():
        if type(check).__name__ == _DRIFT:
            check.clean_conditions()
            check.add_condition_drift_score_less_than(
                max_allowed_categorical_score=limit, max_allowed_numeric_score=limit
            )


def _ours(
    found: Finding,
    drift: Mapping[str, Any],
    contract: DataContract,
    limit: float,
    *,
    familiar: bool,
) -> Iterator[ValidatorFinding]:
    verdict = found.verdict
    by_column = [_drifted(name, score, limit, verdict) for name, score in drift.items()]
    worst = worst_verdict(by_column)
    if by_column and (verdict == "pass" or worst != "pass"):
        yield from by_column
        return
    sentence = found.sentence
    if familiar:
        verdict, sentence = "pass", f"{sentence} The reference rows show the same."
    named = {each for each in _QUOTED.findall(found.sentence) if each in contract.names}
    yield ValidatorFinding(
        check=found.name,
        column=named.pop() if len(named) == 1 else "",
        verdict=verdict,
        sentence=f"{sentence} Asked for: {found.condition}.",
    )


def _drifted(
    column: str, answer: Mapping[str, Any], limit: float, verdict: Verdict
) -> ValidatorFinding:
    """One column's drift; Deepchecks' verdict counts if the drift reaches the limit."""
    score = float(answer["Drift score"])
    verdict = "pass" if score < limit else verdict
    return drift_finding(
        column, score, limit, verdict, library="Deepchecks", method=answer["Method"]
    )
