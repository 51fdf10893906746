"""What is odd about a table that could be read: blanks, repeated rows, columns that say too little."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.evaluation.column_ranking import strongest_column
from churn.features.encoding import encode, encode_target

_TOO_GOOD = 0.95
_ROWS_A_VALUE = 20  # fewer, and values of one outcome each come about by chance


@dataclass(frozen=True)
class Finding:
    """One finding on the table, and what it means for the features."""

    found: str
    meaning: str


def find_data_findings(frame: pd.DataFrame, contract: DataContract) -> tuple[Finding, ...]:
    """Every finding on a typed table; no sentence shows a customer's id."""
    return (
        *_blanks(frame, contract),
        _repeated(frame, contract),
        *_constant(frame, contract),
        *_implied(frame, contract),
        *_giveaway(frame, contract),
    )


def _blanks(frame: pd.DataFrame, contract: DataContract) -> list[Finding]:
    found = []
    for column in contract.numbers:
        rule = column.blank
        if rule is None:
            continue
        allowed = frame[rule.only_when] == rule.equals
        read = int((allowed & (frame[column.name] == rule.value)).sum())
        found.append(
            Finding(
                f"{column.name} may be blank where {rule.only_when} is {rule.equals:g}: "
                f"{int(allowed.sum()):,} rows, {read:,} of which were read as {rule.value:g}.",
                f"The blank is an answer, not a gap: {column.name} needs no imputation.",
            )
        )
    return found


def _repeated(frame: pd.DataFrame, contract: DataContract) -> Finding:
    """Rows alike in every feature; the id and the outcome may differ."""
    names = [column.name for column in contract.features]
    repeated = int(frame.duplicated(names, keep=False).sum())
    if not repeated:
        return Finding("No two rows are alike in every feature.", "Nothing is to be done.")
    rows = frame.loc[frame.duplicated(names, keep=False)]
    outcomes = rows.groupby(names, observed=True)[contract.target.name].transform("nunique")
    return Finding(
        f"{repeated:,} rows share all their features with another row; in "
        f"{int((outcomes > 1).sum()):,} of them the outcomes differ.",
        "Two customers may be alike, so the rows stay; the split keeps rows that are alike on one "
        "side where ids do not last. Where outcomes differ no model can be right on both.",
    )


def _constant(frame: pd.DataFrame, contract: DataContract) -> list[Finding]:
    return [
        Finding(f"{column.name} has one value in all rows.", "It says nothing here: leave it out.")
        for column in constant_columns(frame, contract)
    ]


def constant_columns(
    frame: pd.DataFrame, contract: DataContract
) -> tuple[CodedColumn | NumberColumn, ...]:
    """Columns of a typed table, at least one row long, with one value in all rows."""
    return tuple(
        column
        for column in contract.features
        if frame[column.name].eq(frame[column.name].iloc[0]).all()
    )


def target_copies(
    frame: pd.DataFrame, contract: DataContract
) -> tuple[CodedColumn | NumberColumn, ...]:
    """Columns of a typed table that are the target in other words: each value has one outcome.

    A column of nearly as many values as rows, a code of each customer, says nothing of the kind.
    """
    target = encode_target(frame, contract)
    if target.min() == target.max():
        return ()
    copies = []
    for column in contract.features:
        outcomes = pd.Series(target).groupby(frame[column.name].to_numpy()).agg(["min", "max"])
        few = len(outcomes) * _ROWS_A_VALUE <= len(frame)
        if few and (outcomes["min"] == outcomes["max"]).all():
            copies.append(column)
    return tuple(copies)


def _implied(frame: pd.DataFrame, contract: DataContract) -> list[Finding]:
    """Columns whose categories the contract derives from another column."""
    rules = contract.expectations.implications
    found = []
    for key in dict.fromkeys((rule.follows_column, rule.follows_value) for rule in rules):
        followers = [r.column for r in rules if (r.follows_column, r.follows_value) == key]
        column = contract.column(key[0])
        if not isinstance(column, CodedColumn):
            continue
        rows = int((frame[key[0]] == key[1]).sum())
        found.append(
            Finding(
                f"{key[0]} = {key[1]} ({rows:,} rows) is repeated in {', '.join(followers)}.",
                "One fact in several columns: a linear model needs one of them, and reasons must not "
                "count it twice.",
            )
        )
    return found


def _giveaway(frame: pd.DataFrame, contract: DataContract) -> list[Finding]:
    target = encode_target(frame, contract)
    if target.min() == target.max():
        return []
    best = strongest_column(encode(frame, contract), target)
    shown = f"{best.column} alone ranks the customers best, at a ROC-AUC of {best.roc_auc:.3f}."
    if best.roc_auc < _TOO_GOOD:
        return [Finding(shown, "No column gives the outcome away.")]
    return [Finding(shown, "Too good to be known beforehand: find out when it is written.")]
