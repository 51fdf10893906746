"""Generated customers as a simulator needs them: which can be scored, and which fields may change."""

from __future__ import annotations

import random
from typing import Any

from churn.contract import DataContract
from churn.data.generator import GeneratedCustomers, GeneratorSettings
from churn.scoring.encoder import RowEncoder
from churn.scoring.fields import FieldError

_MOST_CHANGES = 3


class SimulatedCustomers:
    """Customers of a contract.

    Attributes:
        contract: the contract.
        rows: each customer's id and features, as a message has them.
        readable: whether the contract allows each; a scenario may have broken some.
    """

    def __init__(self, contract: DataContract, settings: GeneratorSettings) -> None:
        """Generates them.

        Raises:
            InputError: the contract has no snapshot, or not what the scenario needs.
        """
        self.contract = contract
        names = [contract.id.name, *(column.name for column in contract.features)]
        table = GeneratedCustomers(contract, settings).rows().table().select(names)
        self.rows: list[dict[str, Any]] = table.to_pylist()
        encoder = RowEncoder(contract)
        self.readable = [_is_readable(encoder, row) for row in self.rows]
        self._donors = [row for row, ok in zip(self.rows, self.readable, strict=True) if ok]
        self._changing = _independent_fields(contract)

    def draw_changes(self, draw: random.Random) -> dict[str, Any]:
        """New values of some fields: those that another customer has."""
        donor = draw.choice(self._donors)
        known = [name for name in self._changing if donor[name] is not None]
        count = draw.randint(1, min(_MOST_CHANGES, len(known)))
        return {name: donor[name] for name in sorted(draw.sample(known, count))}


def _is_readable(encoder: RowEncoder, row: dict[str, Any]) -> bool:
    try:
        encoder.encode(row)
    except FieldError:
        return False
    return True


def _independent_fields(contract: DataContract) -> list[str]:
    """Features that may change alone: no rule of the contract ties them to others."""
    tied = {
        name
        for rule in contract.expectations.implications
        for name in (rule.column, rule.follows_column)
    }
    for column in contract.numbers:
        if column.blank is not None:
            tied |= {column.name, column.blank.only_when}
    features = [column.name for column in contract.features]
    return [name for name in features if name not in tied] or features
