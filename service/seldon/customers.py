"""Scores of customers as Seldon's protocols send them: tables, JSON documents and tensors.

Both servers use this code, so that a table, a document and a set of tensors mean the same customer in
either. It imports neither Seldon nor MLServer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churn.contract import DataContract, NumberColumn
from churn.errors import InputError
from churn.scoring import Scorer, Scores
from churn.scoring.encoder import Row

MOST_CUSTOMERS = 10_000
"""Customers in one request; the server answers no other meanwhile."""


def score_rows(scorer: Scorer, rows: Sequence[Row]) -> Scores:
    """Scores raw customers, one or many, with every feature of the contract by name.

    Raises:
        InputError: there are too many or none, or one is at fault; the sentence names its row and
            field.
    """
    _require_number(len(rows))
    if len(rows) > 1:
        return scorer.score_many(scorer.columns(rows))
    score = scorer.score_one(rows[0])
    return Scores(
        np.array([score.probability]),
        np.array([score.logit]),
        np.array([score.decision]),
        score.version,
    )


def score_table(scorer: Scorer, table: Any, names: Sequence[str]) -> Scores:
    """Scores a table, [n, columns], with the names of its columns in any order.

    Texts, or texts and numbers, are the contract's raw values. Numbers alone, as in a tensor, are
    numbers and the codes of categories in the contract's order.

    Raises:
        InputError: it is no such table, or a customer is at fault.
    """
    names = list(names)
    array = np.asarray(table)
    if array.shape != (len(array) if array.ndim else 0, len(names)):
        raise InputError(
            f"The data has shape {list(array.shape)} beside {len(names)} names; give one row a "
            "customer and the contract's field names in data.names."
        )
    if len(set(names)) != len(names):
        raise InputError("A name appears twice in data.names; name each column once.")
    _require_number(len(array))
    if array.dtype.kind in "iuf":
        features = {column.name for column in scorer.contract.features}
        unknown = [name for name in names if name not in features]
        if unknown:
            raise InputError(
                f"Column '{unknown[0][:40]}' is not a feature of contract "
                f"'{scorer.contract.name}'; leave it out of the tensor."
            )
        columns = np.ascontiguousarray(array.T, dtype=np.float64)
        return scorer.score_many(dict(zip(names, columns, strict=True)))
    return score_rows(scorer, [dict(zip(names, row, strict=True)) for row in array.tolist()])


def score_document(scorer: Scorer, document: Any) -> Scores:
    """Scores a JSON document: a customer, or a list of customers.

    Raises:
        InputError: it is neither, or a customer is at fault.
    """
    rows = document if isinstance(document, list) else [document]
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise InputError(
                f"Customer {place} in jsonData is not an object; give one object a customer, with "
                "the contract's fields."
            )
    return score_rows(scorer, rows)


def score_tensors(scorer: Scorer, tensors: Mapping[str, Sequence[Any]]) -> Scores:
    """Scores named one-dimensional tensors of raw values, one a field; texts may be UTF-8 bytes.

    Raises:
        InputError: the tensors differ in length, a text is no UTF-8, or a customer is at fault.
    """
    lengths = {name: len(values) for name, values in tensors.items()}
    if len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise InputError(
            f"Input '{short[:40]}' has {lengths[short]:,} values where '{long[:40]}' has "
            f"{lengths[long]:,}; give every input the same customers."
        )
    _require_number(max(lengths.values(), default=0))
    columns = {name: [_decode(name, each) for each in values] for name, values in tensors.items()}
    rows = zip(*columns.values(), strict=True)
    return score_rows(scorer, [dict(zip(columns, row, strict=True)) for row in rows])


def _decode(name: str, value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"Input '{name[:40]}' holds bytes that are not UTF-8; send texts as UTF-8."
        ) from None


def _require_number(customers: int) -> None:
    if not customers:
        raise InputError("The request has no customer; give at least one row.")
    if customers > MOST_CUSTOMERS:
        raise InputError(
            f"The request has {customers:,} customers; at most {MOST_CUSTOMERS:,} are allowed; "
            "send them in several requests."
        )


def feature_datatypes(contract: DataContract) -> dict[str, str]:
    """Returns the datatype of each feature in the V2 protocol."""
    return {
        column.name: "FP64" if isinstance(column, NumberColumn) else "BYTES"
        for column in contract.features
    }
