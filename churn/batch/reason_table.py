"""The reasons of many customers as columns of Arrow: those that `ReasonCodes` gives each customer.

Ranks are compared and sentences joined for a whole chunk at once. A sentence's first half is made
once for each category, and for each different number that is given as a reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.batch.arrow_arrays import number_array, text_array
from churn.explain.reasons import ReasonCodes
from churn.explain.wording import CLEAR, STRONG, WEAKEST, direction, strength, tail
from churn.features.encoding import Columns, Floats

_SIZES = (WEAKEST, CLEAR, STRONG)
_KINDS = tuple(sign * size for sign in (-1.0, 1.0) for size in _SIZES)
"""One contribution of each direction and strength."""
_NO_REASON, _LAST = np.int8(3), np.int16(np.iinfo(np.int16).max)
_ROWS_AT_ONCE = 2048  # what is ranked stays in the processor's cache
_Places = NDArray[np.int64]

REASON = pa.struct(
    [
        ("column", pa.string()),
        ("sentence", pa.string()),
        ("direction", pa.string()),
        ("strength", pa.string()),
        ("actionable", pa.bool_()),
        ("contribution", pa.float64()),
        ("odds_ratio", pa.float64()),
    ]
)
"""A reason, by the names of the service's answer."""


def reason_table(codes: ReasonCodes, columns: Columns, contributions: Floats, top: int) -> Any:
    """Each customer's reasons, a pyarrow array of lists of `REASON`.

    Args:
        codes: the reasons of the model.
        columns: the customers' feature columns.
        contributions: the model's, float64[n, features].
        top: how many reasons a customer, at most.
    """
    grouped = codes.grouping.group(contributions.T)
    parts = np.array([grouped[place] for place in codes.given])
    parts = parts.reshape(len(codes.given), len(contributions))
    ranked = np.empty((top, parts.shape[1]), dtype=np.int64)
    for start in range(0, parts.shape[1], _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        ranked[:, some] = _ranked(codes, parts[:, some], top)
    rows, ranks = np.nonzero(ranked.T >= 0)
    chosen = ranked.T[rows, ranks]
    part = parts[chosen, rows]
    places = np.array(codes.given, dtype=np.int64)[chosen]
    size = np.abs(part)
    kind = 3 * (part > 0) + (size >= CLEAR) + (size >= STRONG)
    described = [codes.columns[place] for place in range(len(codes.columns))]
    reasons = pa.StructArray.from_arrays(
        [
            _taken([column.name for column in described], places),
            _sentences(codes, columns, places, rows, kind),
            _taken([direction(each) for each in _KINDS], kind),
            _taken([strength(each) for each in _KINDS], kind),
            number_array(np.array([column.actionable for column in described], np.bool_)[places]),
            number_array(part),
            number_array(np.exp(part)),
        ],
        fields=list(REASON),
    )
    counts = (ranked >= 0).sum(axis=0)
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(number_array(offsets), reasons)


def _ranked(codes: ReasonCodes, parts: Floats, top: int) -> _Places:
    """Places among `codes.given`, the strongest call to action first; -1 behind the last.

    Args:
        codes: says on which columns the business can act.
        parts: contributions float64[columns, n].
        top: how many, int64[top, n].
    """
    # Products of masks instead of `where`, whose branches the processor often predicts wrongly.
    higher = np.array(
        [2 if codes.columns[place].actionable else 1 for place in codes.given], np.int8
    )
    places = np.arange(len(parts), dtype=np.int16)[:, np.newaxis]
    sizes = np.abs(parts)
    classes = _NO_REASON - (sizes >= WEAKEST) - (parts >= WEAKEST) * higher[:, np.newaxis]
    ranked = np.full((top, parts.shape[1]), -1, dtype=np.int64)
    everyone = np.arange(parts.shape[1])
    for rank in ranked[: len(parts)]:
        first = classes.min(axis=0)
        rivals = sizes * (classes == first)
        rank[:] = np.maximum(places, _LAST * (rivals != rivals.max(axis=0))).min(axis=0)
        classes[rank, everyone] = _NO_REASON
        rank[first == _NO_REASON] = -1
    return ranked


def _sentences(
    codes: ReasonCodes, columns: Columns, places: _Places, rows: _Places, kind: _Places
) -> Any:
    phrases: list[str] = []
    phrase = np.empty(len(places), dtype=np.int64)
    for place in codes.given:
        column = codes.columns[place]
        here = np.flatnonzero(places == place)
        values, which = _distinct(columns[column.name][rows[here]])
        phrase[here] = which + len(phrases)
        phrases += [column.phrase(value) for value in values.tolist()]
    tails = _taken([tail(each) for each in _KINDS], kind)
    return pc.binary_join_element_wise(_taken(phrases, phrase), tails, text_array([""])[0])


def _distinct(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Different values, and which of them each value is; codes are places already."""
    if values.dtype == np.int8:
        return np.arange(int(values.max(initial=-1)) + 1), values.astype(np.int64)
    return np.unique(values, return_inverse=True)


def _taken(texts: list[str], places: _Places) -> Any:
    return text_array(texts).take(number_array(places))
