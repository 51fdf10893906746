"""Messages that nobody can score: each is rejected, whatever the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from churn.contract import DataContract

Poison = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
"""Key, value and headers."""
Row = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_SCHEMA = ("churn-schema", b"1")


def _key(contract: DataContract, row: Row) -> bytes:
    return str(row[contract.id.name]).encode()


def _tombstone(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), None, (_SCHEMA,)


def _cut_off(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), _encode(row)[:-20], (_SCHEMA,)


def _no_text(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), b"\xff\xfe\x00\x01", (_SCHEMA,)


def _list(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), _encode([row]), (_SCHEMA,)


def _no_id(contract: DataContract, row: Row) -> Poison:
    rest = {name: value for name, value in row.items() if name != contract.id.name}
    return None, _encode(rest), (_SCHEMA,)


def _wrong_value(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), _encode({**row, contract.features[0].name: "?"}), (_SCHEMA,)


def _unknown_field(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), _encode({**row, "no such field": 1}), (_SCHEMA,)


def _unknown_schema(contract: DataContract, row: Row) -> Poison:
    return _key(contract, row), _encode(row), (("churn-schema", b"99"),)


def _unknown_customer(contract: DataContract, row: Row) -> Poison:
    changes = {contract.features[0].name: row[contract.features[0].name]}
    update = {contract.id.name: "nobody", "changes": changes, "at": "2020-01-01T00:00:00Z"}
    return b"nobody", _encode(update), (_SCHEMA,)


def _no_time(contract: DataContract, row: Row) -> Poison:
    update = {contract.id.name: row[contract.id.name], "changes": {}, "at": "yesterday"}
    return _key(contract, row), _encode(update), (_SCHEMA,)


POISON: tuple[Callable[[DataContract, Row], Poison], ...] = (
    _tombstone,
    _cut_off,
    _no_text,
    _list,
    _no_id,
    _wrong_value,
    _unknown_field,
    _unknown_schema,
    _unknown_customer,
    _no_time,
)
"""In the order in which a simulator sends them, again and again."""
