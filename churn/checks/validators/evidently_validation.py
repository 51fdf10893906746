"""Measures drift, blanks and values outside the contract with Evidently 0.7, column by column.

Drift is its population stability index: the same statistic, with the same limits, as the quality
gate's, but with Evidently's own bins for numbers and its own treatment of empty ones. Its presets
choose a test by the number of rows, so the same table would be judged otherwise once it grows; the
metrics are therefore named one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

import pandas as pd

from churn.checks.validators.evidently_adapter import Evidently, load_evidently
from churn.checks.validators.validator_report import (
    ValidatorFinding,
    ValidatorReport,
    drift_finding,
)
from churn.checks.validators.validator_settings import EvidentlySettings
from churn.checks.validators.validator_tables import Tables, prepare_tables
from churn.contract import CodedColumn, DataContract, NumberColumn, TargetColumn
from churn.data.quality.verdict import Verdict
from churn.errors import ChurnError

_DRIFT, _MISSING = "ValueDrift", "MissingValueCount"
_OUTSIDE = ("OutListValueCount", "OutRangeValueCount")

Answers = Mapping[tuple[str, str], float]


def validate(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    settings: EvidentlySettings,
    *,
    target: str,
) -> ValidatorReport:
    """Compares current rows with reference rows, as `DataValidator.validate` says.

    Raises:
        InputError: Evidently is not installed, or a table cannot be checked.
    """
    limits = settings.limits(contract)
    tables = prepare_tables(reference, current, contract, settings, target=target)
    with load_evidently() as evidently:
        answers = _figures(run_report(evidently, tables, contract, limits[0]))
    findings = tuple(
        finding
        for column in watched(contract)
        for finding in _about(column, answers, len(tables.current), settings, limits)
    )
    return tables.report("Evidently", evidently.version, findings)


def profile(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    settings: EvidentlySettings,
) -> Any:
    """Evidently's own result, a `Snapshot`: what its `save_html` and `json` are called on.

    Raises:
        InputError: as for `validate`.
    """
    target = contract.target.name
    tables = prepare_tables(reference, current, contract, settings, target=target)
    with load_evidently() as evidently:
        return run_report(evidently, tables, contract, settings.limits(contract)[0])


def watched(contract: DataContract) -> tuple[CodedColumn | NumberColumn | TargetColumn, ...]:
    """The columns that are compared: every feature and the target; never the id."""
    return (*contract.features, contract.target)


def run_report(
    evidently: Evidently, tables: Tables, contract: DataContract, psi_limit: float
) -> Any:
    """Evidently's `Snapshot`, whose pages call a column drifted above the limit."""
    columns = watched(contract)
    numbers = [each.name for each in columns if isinstance(each, NumberColumn)]
    texts = [each.name for each in columns if not isinstance(each, NumberColumn)]
    definition = evidently.top.DataDefinition(numerical_columns=numbers, categorical_columns=texts)

    def dataset(table: pd.DataFrame) -> Any:
        plain = {each.name: _plain(table[each.name], each) for each in columns}
        return evidently.top.Dataset.from_pandas(pd.DataFrame(plain), data_definition=definition)

    made = [
        metric
        for column in columns
        for metric in _metrics(evidently, column, tables, psi_limit=psi_limit)
    ]
    report = evidently.top.Report(made, include_tests=False)
    return report.run(dataset(tables.current), dataset(tables.reference))


def _metrics(
    evidently: Evidently,
    column: CodedColumn | NumberColumn | TargetColumn,
    tables: Tables,
    *,
    psi_limit: float,
) -> Iterator[Any]:
    kinds, name = evidently.metrics, column.name
    yield kinds.MissingValueCount(column=name)
    values = [_plain(table[name], column) for table in (tables.reference, tables.current)]
    if any(each.isna().all() for each in values):
        return  # a share of nothing: the blanks have been counted, and say it
    if isinstance(column, NumberColumn):
        yield kinds.OutRangeValueCount(column=name, left=column.minimum, right=column.maximum)
    else:
        yield kinds.OutListValueCount(column=name, values=list(column.categories))
    yield kinds.ValueDrift(column=name, method="psi", threshold=psi_limit)


def _plain(
    values: pd.Series[Any], column: CodedColumn | NumberColumn | TargetColumn
) -> pd.Series[Any]:
    """A column as Evidently reads it best: floats, or plain texts; what is neither is blank."""
    if isinstance(column, NumberColumn):
        return pd.to_numeric(values, errors="coerce").astype("float64")
    texts: list[Any] = [
        None if blank else value for value, blank in zip(values, values.isna(), strict=True)
    ]
    return pd.Series(texts, dtype="object")


def _figures(snapshot: Any) -> Answers:
    """(metric, column) -> its figure; of a count, how many rows."""
    found: dict[tuple[str, str], float] = {}
    for each in snapshot.dict()["metrics"]:
        config, value = each["config"], each["value"]
        kind = str(config["type"]).rpartition(":")[2]
        found[kind, str(config["column"])] = float(
            value["count"] if isinstance(value, Mapping) else value
        )
    return found


def _about(
    column: CodedColumn | NumberColumn | TargetColumn,
    answers: Answers,
    rows: int,
    settings: EvidentlySettings,
    limits: tuple[float, float],
) -> Iterator[ValidatorFinding]:
    name = column.name
    if (_MISSING, name) not in answers:
        raise ChurnError(f"Evidently gave no answer about column '{name}'; nothing was validated.")
    blank = answers[_MISSING, name]
    yield _counted("blank cells", name, blank, rows, settings.missing_limit, "are blank")
    outside = next((answers[kind, name] for kind in _OUTSIDE if (kind, name) in answers), None)
    if outside is not None:
        words = "lie outside the contract's categories"
        if isinstance(column, NumberColumn):
            words = f"lie outside {column.minimum:,g} to {column.maximum:,g} {column.unit}"
        yield _counted("values", name, outside, rows, settings.outside_limit, words)
    psi, (warning, critical) = answers.get((_DRIFT, name), nan), limits
    verdict: Verdict = "fail" if psi > critical else "warn" if psi > warning else "pass"
    limit = warning if psi <= critical else critical
    yield drift_finding(name, psi, limit, verdict, library="Evidently", method="PSI")


def _counted(
    check: str, column: str, count: float, rows: int, limit: float, words: str
) -> ValidatorFinding:
    share = count / rows
    allowed = "none may" if limit == 0 else f"up to {limit:.2%} may"
    return ValidatorFinding(
        check=check,
        column=column,
        figure=share,
        threshold=limit,
        verdict="fail" if share > limit else "pass",
        sentence=f"{column}: {count:,.0f} of {rows:,} current rows {words}; {allowed}.",
    )
