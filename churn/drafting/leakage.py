"""Columns that give the outcome away: known only after a customer has left, or too good alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.drafting.text_column import TextColumn
from churn.evaluation.column_ranking import rank_columns
from churn.evaluation.weighted import Labels

IN_OTHER_WORDS = "it is the target in other words"
TOO_GOOD = 0.90
"""ROC-AUC of one column alone, from which it is suspected; training holds a model for the same."""

_AFTER = re.compile(
    r"(.* )?(churn\w*|cancel\w*|terminat\w*|attrition|attrited|deactivat\w*|exit\w*|departure|win ?back)"
    r"( .*)?|(has )?left|(left|leaving) (on|date|at|reason)|date left|(account )?clos(ed|ing|ure)"
    r"( (on|at|date|reason))?"
)


def leaks(columns: Sequence[TextColumn], target: Labels) -> dict[str, str]:
    """Columns that smell of leakage, by name, and why.

    Args:
        columns: Columns that a model might see.
        target: int8[n] of 0 (stayed) and 1 (left), both of which occur.
    """
    found: dict[str, str] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for column in columns:
        if _gives_target(column, target):
            found[column.name] = IN_OTHER_WORDS
        elif _AFTER.fullmatch(column.words):
            found[column.name] = "by its name it is known only after a customer has left"
        else:
            arrays[column.name] = column.places if column.numbers is None else column.numbers
            if column.numbers is None and column.empty.any():
                # Many rare texts rank nobody, but whether there is one may.
                arrays[f"{column.name}\0blank"] = column.empty.astype(np.int8)
    for ranking in rank_columns(arrays, target):
        name = ranking.column.partition("\0")[0]
        if ranking.roc_auc > TOO_GOOD and name not in found:
            found[name] = (
                f"alone it ranks those who left with a ROC-AUC of {ranking.roc_auc:.2f}, too good to "
                "be known beforehand"
            )
    return found


def _gives_target(column: TextColumn, target: Labels) -> bool:
    """Whether a column's two values are the target's; a blank counts as a value."""
    if len(column.different) != 2:  # noqa: PLR2004 - as many as a target has
        return False
    return bool((column.places == target).all() or (column.places != target).all())
