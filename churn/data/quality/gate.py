"""The gate: generates the suite from the contract, has it judged, and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from churn.contract import DataContract
from churn.contract.id_mask import HIDDEN, IdMask
from churn.data.quality.cells import cell_rules, table_rules
from churn.data.quality.charges import charges_left_out
from churn.data.quality.distribution import distribution_rules, shift_table, shifts
from churn.data.quality.engine import judge
from churn.data.quality.implications import implications_left_out
from churn.data.quality.psi import Shift
from churn.data.quality.quality_report import Check, QualityReport, verdict_of
from churn.data.quality.relations import related_columns, relation_rules
from churn.data.quality.rule import Batch, Outcome, Rule, place, rows_in_words

_NO_SNAPSHOT = "Distributions were not compared: there is no accepted table to compare with."


def check(
    frame: pd.DataFrame, contract: DataContract, accepted: pd.DataFrame | None
) -> QualityReport:
    """Holds a table to the suite that its contract generates.

    Args:
        frame: The table, shape [n, columns]; typed as `churn.data.intake.parse` returns it. One that is
            not is reported on, not stumbled over.
        contract: The contract.
        accepted: The table the contract was accepted on, to compare distributions with; without
            one those checks are left out and the report says so.

    Returns:
        The report; `require` turns a failed one into an error.

    Raises:
        InputError: the contract itself asks for something that cannot be.
    """
    moved = None if accepted is None else shifts(frame, accepted, contract)
    rules = suite(contract, moved)
    tables: dict[Batch, pd.DataFrame] = {
        "customers": plain(frame),
        "relations": related_columns(frame, contract),
        "shifts": shift_table(moved or {}),
    }
    outcomes = _hide_ids(judge(rules, tables), contract, frame, accepted)
    checks = tuple(_checked(rule, outcomes[rule.name]) for rule in rules)
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
        verdict=verdict_of(checks),
        checks=checks,
        notes=notes,
    )


def suite(contract: DataContract, moved: dict[str, Shift] | None) -> list[Rule]:
    """Every rule that a contract generates, what explains most first.

    Args:
        contract: The contract.
        moved: Each feature's shift from the accepted table; None leaves distributions out.
    """
    rules = [*table_rules(contract), *cell_rules(contract), *relation_rules(contract)]
    if moved is not None:
        rules += distribution_rules(contract, moved)
    return rules


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as Great Expectations reads it best: no pandas extension types, rows from 0."""
    bare = frame.reset_index(drop=True)
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.api.extensions.ExtensionDtype):
            bare.isetitem(position, bare.iloc[:, position].to_numpy(dtype=object))
    return bare


def _hide_ids(
    outcomes: Mapping[str, tuple[Outcome, ...]],
    contract: DataContract,
    *tables: pd.DataFrame | None,
) -> dict[str, tuple[Outcome, ...]]:
    """The same outcomes without values that are, or look like, customers' ids of these tables."""
    if not any(each.examples for answers in outcomes.values() for each in answers):
        return dict(outcomes)
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
        for rule, answers in outcomes.items()
    }


def _checked(rule: Rule, outcomes: tuple[Outcome, ...]) -> Check:
    """A rule's most severe failure, or its success under the strictest limit."""
    demand, outcome = next(
        (pair for pair in zip(rule.demands, outcomes, strict=True) if not pair[1].success),
        (rule.demands[-1], outcomes[-1]),
    )
    return Check(
        name=rule.name,
        topic=rule.topic,
        expectation=demand.expectation,
        columns=rule.columns,
        severity=demand.severity,
        success=outcome.success,
        sentence=_sentence(rule, outcome),
        observed=_observed(rule, outcome),
        expected=demand.limit,
        way_out=rule.way_out,
        failing_rows=() if outcome.success else outcome.rows,
        failing_count=0 if outcome.success else outcome.count,
    )


def _sentence(rule: Rule, outcome: Outcome) -> str:
    if outcome.success:
        return rule.holds(outcome)
    whole = rule.topic == "table" and len(rule.columns) != 1
    where = "The table" if whole else place(rule.columns, outcome.rows, outcome.count)
    if outcome.error is not None:
        return f"{where}: could not be checked, because {outcome.error.rstrip('.')}."
    return f"{where}: {rule.breaks(outcome)}."


def _observed(rule: Rule, outcome: Outcome) -> str:
    if outcome.error is not None:
        return "could not be checked"
    if rule.seen is not None:
        return rule.seen(outcome)
    if outcome.count:
        return f"{rows_in_words(outcome.count)} outside"
    return f"all {rows_in_words(outcome.total)}"
