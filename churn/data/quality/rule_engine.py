"""Runs rules through Great Expectations, without files, network access or log records of its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from churn.data.quality.quality_report import NAMED_ROWS
from churn.data.quality.rule import Batch, ExpectationResult, Rule, listed

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.datasource.fluent.pandas_datasource import PandasDatasource
    from great_expectations.expectations.expectation import Expectation

_log = logging.getLogger(__name__)

_RULE, _EXPECTATION = "rule", "expectation"


def run_rules(
    rules: Sequence[Rule], tables: Mapping[Batch, pd.DataFrame]
) -> dict[str, tuple[ExpectationResult, ...]]:
    """Checks every expectation of every rule with Great Expectations.

    Args:
        rules: The suite, names unique.
        tables: What each batch looks at. Cells are plain objects and numbers, the index counts
            from 0: Great Expectations is slow on pandas' categories, and names rows by index.

    Returns:
        Rule name -> a result per expectation, in the rule's order. An expectation about a column
        that its table lacks is not run and fails, as does one that Great Expectations breaks off.
    """
    answers: dict[str, dict[int, ExpectationResult]] = {
        rule.name: dict.fromkeys(range(len(rule.expectations)), _not_run(rule, tables))
        for rule in rules
    }
    with _silence():
        source = _open_source()
        for batch, table in tables.items():
            runnable = [each for each in rules if each.batch == batch and _can_run(each, table)]
            for validated in _validate(source, batch, table, runnable):
                key: Any = getattr(validated.expectation_config, "meta", None)
                answers[key[_RULE]][key[_EXPECTATION]] = _result_from(validated)
    return {name: tuple(each[n] for n in sorted(each)) for name, each in answers.items()}


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps the library's log records and warnings from the user.

    A level somebody gave its logger on purpose (`--verbose` does) is respected.
    """
    logger = logging.getLogger("great_expectations")
    before = logger.level
    if before == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _open_source() -> PandasDatasource:
    # Imported here because it takes seconds of CPU, and `churn.data.quality` is imported by all that
    # only reads reports.
    from great_expectations import get_context
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # The default configuration would also make a folder for pages that nobody opens.
    context = get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
            analytics_enabled=False,
        ),
    )
    return context.data_sources.add_pandas("tables")


def _validate(
    source: PandasDatasource, batch: Batch, table: pd.DataFrame, rules: Sequence[Rule]
) -> Sequence[ExpectationValidationResult]:
    from great_expectations import ExpectationSuite

    suite = ExpectationSuite(name=batch, expectations=list(_expectations(rules)))
    if not suite.expectations:
        return ()
    asset = source.add_dataframe_asset(batch).add_batch_definition_whole_dataframe(batch)
    result = asset.get_batch({"dataframe": table}).validate(
        suite,
        # SUMMARY names the first failing rows and computes nothing for what holds.
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": NAMED_ROWS},
    )
    return result.results


def _expectations(rules: Sequence[Rule]) -> Iterator[Expectation]:
    from great_expectations import expectations

    for rule in rules:
        for number, spec in enumerate(rule.expectations):
            kind = getattr(expectations, spec.expectation)
            yield kind(
                **spec.arguments,
                severity=spec.severity,
                meta={_RULE: rule.name, _EXPECTATION: number},
            )


def _can_run(rule: Rule, table: pd.DataFrame) -> bool:
    needed = {spec.arguments["column"] for spec in rule.expectations if "column" in spec.arguments}
    if any(spec.expectation == "ExpectCompoundColumnsToBeUnique" for spec in rule.expectations):
        needed.update(rule.columns)
    return all((table.columns == column).sum() == 1 for column in needed)


def _not_run(rule: Rule, tables: Mapping[Batch, pd.DataFrame]) -> ExpectationResult:
    """The result of a rule that cannot be run: a failure, and why."""
    header = list(tables["customers"].columns)
    missing = [repr(name) for name in rule.columns if name not in header]
    twice = [repr(name) for name in rule.columns if header.count(name) > 1]
    if missing:
        error = f"the table has no column {listed(missing)}"
    elif twice:
        error = f"the table has column {listed(twice)} twice"
    elif rule.batch == "shifts":
        error = "its values cannot be compared with the accepted table's"
    else:
        error = "no row has values to compare"
    return ExpectationResult(success=False, error=error)


def _result_from(validated: ExpectationValidationResult) -> ExpectationResult:
    """Great Expectations' result in our terms; an exception inside it is a failure."""
    found: dict[str, Any] = validated.result or {}
    error = None
    if _broke_off(validated.exception_info):
        # Without the library's own words: they may quote a cell, and with it a customer's id.
        _log.debug("Great Expectations could not judge %s", validated.expectation_config)
        error = "Great Expectations cannot compare its values; the check of its type says more"
    missing = found.get("missing_count", 0) or 0
    return ExpectationResult(
        success=bool(validated.success) and error is None,
        observed=found.get("observed_value"),
        examples=tuple(
            found.get("partial_unexpected_list") or found.get("partial_missing_list") or ()
        ),
        rows=tuple(int(n) + 1 for n in found.get("partial_unexpected_index_list") or ()),
        count=int(found.get("unexpected_count") or 0),
        total=int(found.get("element_count") or 0) - int(missing),
        error=error,
    )


def _broke_off(info: Mapping[str, Any] | None) -> bool:
    # One flat record, or one per failed metric under keys of the library's own making.
    records = [info or {}, *(each for each in (info or {}).values() if isinstance(each, dict))]
    return any(record.get("raised_exception") for record in records)
