"""Customers as Seldon's protocols carry them, scored by the one scorer.

Both servers come through here, so that a table, a dictionary and a set of tensors mean the same
customer in either. Knows neither Seldon nor MLServer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churn.contract import DataContract, NumberColumn
from churn.contract.values import whole_if_possible
from churn.errors import InputError
from churn.scoring import Scorer, Scores
from churn.scoring.encoder import Row

MOST_CUSTOMERS = 10_000
"""How many customers one request may bring; a server answers nobody else meanwhile."""


def score_rows(scorer: Scorer, rows: Sequence[Row]) -> Scores:
    """Scores raw customers, one or many.

    Args:
        scorer: the bundle's.
        rows: every feature of the contract by name, in the contract's raw values.

    Raises:
        InputError: there are too many or none, or one is refused; the sentence names its row and
            field.
    """
    _require_some(len(rows))
    read = [_from_transport(row, scorer.contract) for row in rows]
    if len(read) > 1:
        return scorer.score_many(scorer.columns(read))
    score = scorer.score_one(read[0])
    return Scores(
        np.array([score.probability]),
        np.array([score.logit]),
        np.array([score.decision]),
        score.version,
    )


def score_table(scorer: Scorer, table: Any, names: Sequence[str]) -> Scores:
    """Scores a table whose columns are named beside it.

    Args:
        scorer: the bundle's.
        table: [n, columns]. Of texts, or texts and numbers: the contract's raw values. Of numbers
            alone, as a tensor must be: numbers, and the codes of categories in the contract's order.
        names: of the columns, in any order.

    Raises:
        InputError: it is no such table, or a customer in it is refused.
    """
    names = list(names)
    array = np.asarray(table)
    if array.shape != (len(array) if array.ndim else 0, len(names)):
        raise InputError(
            f"The data has shape {list(array.shape)} beside {len(names)} names; give one row a "
            "customer and the contract's field names in data.names."
        )
    if len(set(names)) != len(names):
        raise InputError("A name stands twice in data.names; name each column once.")
    _require_some(len(array))
    if array.dtype.kind in "iuf":
        features = {column.name for column in scorer.contract.features}
        strangers = [name for name in names if name not in features]
        if strangers:
            raise InputError(
                f"Column '{strangers[0][:40]}' is not a feature of contract "
                f"'{scorer.contract.name}'; leave it out of the tensor."
            )
        columns = np.ascontiguousarray(array.T, dtype=np.float64)
        return scorer.score_many(dict(zip(names, columns, strict=True)))
    return score_rows(scorer, [dict(zip(names, row, strict=True)) for row in array.tolist()])


def score_document(scorer: Scorer, document: Any) -> Scores:
    """Scores a JSON document: a customer, or a list of customers.

    Raises:
        InputError: it is neither, or a customer in it is refused.
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
    """Scores named one-dimensional tensors, one a field.

    Args:
        scorer: the bundle's.
        tensors: field -> the customers' raw values; texts may be UTF-8 bytes.

    Raises:
        InputError: the tensors differ in length, a text is no UTF-8, or a customer is refused.
    """
    lengths = {name: len(values) for name, values in tensors.items()}
    if len(set(lengths.values())) > 1:
        few, many = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise InputError(
            f"Input '{few[:40]}' has {lengths[few]:,} values where '{many[:40]}' has "
            f"{lengths[many]:,}; give every input the same customers."
        )
    _require_some(max(lengths.values(), default=0))
    read = {name: [_text(name, value) for value in values] for name, values in tensors.items()}
    rows = zip(*read.values(), strict=True)
    return score_rows(scorer, [dict(zip(read, row, strict=True)) for row in rows])


def _from_transport(row: Row, contract: DataContract) -> dict[str, Any]:
    """The row with its categories as they were before protobuf or numpy carried them."""
    read = dict(row)
    for column in contract.coded:
        value = read.get(column.name)
        if value not in column.categories:
            read[column.name] = whole_if_possible(value)
    return read


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"Input '{name[:40]}' holds bytes that are not UTF-8; send texts as UTF-8."
        ) from None


def _require_some(customers: int) -> None:
    if not customers:
        raise InputError("The request brings no customer; give at least one row.")
    if customers > MOST_CUSTOMERS:
        raise InputError(
            f"The request brings {customers:,} customers where {MOST_CUSTOMERS:,} are the most; "
            "send them in several requests."
        )


def feature_kinds(contract: DataContract) -> dict[str, str]:
    """Feature -> its datatype in the V2 protocol."""
    return {
        column.name: "FP64" if isinstance(column, NumberColumn) else "BYTES"
        for column in contract.features
    }
