"""The gate: generates the suite from the contract, runs it, and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from churn.contract import DataContract
from churn.contract.id_mask import HIDDEN, IdMask
from churn.data.quality.charge_rules import charges_left_out
from churn.data.quality.column_rules import column_rules, table_rules
from churn.data.quality.distribution_rules import distribution_rules, shift_table, shifts
from churn.data.quality.implication_rules import implications_left_out
from churn.data.quality.psi import Shift
from churn.data.quality.quality_report import Check, QualityReport
from churn.data.quality.real_customers_rule import real_customers_rule
from churn.data.quality.relation_rules import related_columns, relation_rules
from churn.data.quality.rule import Batch, ExpectationResult, Rule, place, rows_in_words
from churn.data.quality.rule_engine import run_rules
from churn.data.quality.verdict import OnShift, worst_verdict
from churn.data.synthetic_ids import any_synthetic

_NO_SNAPSHOT = "Distributions were not compared: there is no accepted table to compare with."


def check(
    frame: pd.DataFrame,
    contract: DataContract,
    accepted: pd.DataFrame | None,
    *,
    on_shift: OnShift = "refuse",
) -> QualityReport:
    """Checks a table with the suite that its contract generates.

    Args:
        frame: The table, shape [n, columns]; typed as `churn.data.intake.parse` returns it. One that is
            not typed gives a report with failures, not an error.
        contract: The contract.
        accepted: The table the contract was accepted on, to compare distributions with; without
            one those checks are left out and the report says so.
        on_shift: What a large shift from it does; every other check is the same either way.

    Returns:
        The report; `require` turns a failed one into an error.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.data import acquire
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> customers = acquire("bundled", contract, root=Path(), cache=Path(".churn/downloads"))
        >>> report = check(customers.frame, contract, accepted=customers.frame)
        >>> report.verdict
        'pass'
        >>> spoilt = customers.frame.assign(tenure=customers.frame["tenure"].replace(72, 300))
        >>> failed = check(spoilt, contract, accepted=None).failures[0]
        >>> failed.name, failed.failing_count
        ('range of tenure', 362)

    Raises:
        InputError: the contract contradicts itself.
    """
    moved = None if accepted is None else shifts(frame, accepted, contract)
    rules = suite(contract, moved, on_shift=on_shift)
    if contract.id.name in frame and any_synthetic(frame[contract.id.name]):
        rules.append(real_customers_rule(contract))
    tables: dict[Batch, pd.DataFrame] = {
        "customers": plain(frame),
        "relations": related_columns(frame, contract),
        "shifts": shift_table(moved or {}),
    }
    results = _hide_ids(run_rules(rules, tables), contract, frame, accepted)
    checks = tuple(_checked(rule, results[rule.name]) for rule in rules)
    notes = (
        *implications_left_out(contract),
        *charges_left_out(contract),
        *(() if accepted is not None else (_NO_SNAPSHOT,)),
    )
    return QualityReport(
        contract=contract.name,
        contract_digest=contract.digest(),
        title=contract.title,
        rows=len(frame),
        columns=frame.shape[1],
        accepted_rows=None if accepted is None else len(accepted),
        verdict=worst_verdict(checks),
        checks=checks,
        notes=notes,
    )


def suite(
    contract: DataContract, moved: dict[str, Shift] | None, *, on_shift: OnShift = "refuse"
) -> list[Rule]:
    """Every rule that a contract generates, what explains most first.

    `moved` has each feature's shift from the accepted table; None leaves distributions out.
    """
    rules = [*table_rules(contract), *column_rules(contract), *relation_rules(contract)]
    if moved is not None:
        rules += distribution_rules(contract, moved, on_shift=on_shift)
    return rules


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as Great Expectations reads it best: no pandas extension types, rows from 0."""
    bare = frame.reset_index(drop=True)
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.api.extensions.ExtensionDtype):
            bare.isetitem(position, bare.iloc[:, position].to_numpy(dtype=object))
    return bare


def _hide_ids(
    results: Mapping[str, tuple[ExpectationResult, ...]],
    contract: DataContract,
    *tables: pd.DataFrame | None,
) -> dict[str, tuple[ExpectationResult, ...]]:
    """The same results without values that are, or look like, customers' ids of these tables."""
    if not any(each.examples for answers in results.values() for each in answers):
        return dict(results)
    name = contract.id.name
    columns = [
        table[name].dropna()
        for table in tables
        if table is not None and list(table.columns).count(name) == 1
    ]
    mask = IdMask(*columns)
    return {
        rule: tuple(
            replace(each, examples=tuple(HIDDEN if mask.hides(x) else x for x in each.examples))
            for each in answers
        )
        for rule, answers in results.items()
    }


def _checked(rule: Rule, results: tuple[ExpectationResult, ...]) -> Check:
    """A rule's most severe failure, or its success under the strictest limit."""
    spec, result = next(
        (pair for pair in zip(rule.expectations, results, strict=True) if not pair[1].success),
        (rule.expectations[-1], results[-1]),
    )
    return Check(
        name=rule.name,
        topic=rule.topic,
        expectation=spec.expectation,
        columns=rule.columns,
        severity=spec.severity,
        success=result.success,
        sentence=_sentence(rule, result),
        observed=_observed(rule, result),
        expected=spec.limit,
        way_out=rule.way_out,
        failing_rows=() if result.success else result.rows,
        failing_count=0 if result.success else result.count,
    )


def _sentence(rule: Rule, result: ExpectationResult) -> str:
    if result.success:
        return rule.success(result)
    whole = rule.topic == "table" and len(rule.columns) != 1
    where = "The table" if whole else place(rule.columns, result.rows, result.count)
    if result.error is not None:
        return f"{where}: could not be checked, because {result.error.rstrip('.')}."
    return f"{where}: {rule.failure(result)}."


def _observed(rule: Rule, result: ExpectationResult) -> str:
    if result.error is not None:
        return "could not be checked"
    if rule.observed is not None:
        return rule.observed(result)
    if result.count:
        return f"{rows_in_words(result.count)} outside"
    return f"all {rows_in_words(result.total)}"
