"""What a drafted contract expects of a whole table: rules that the table itself keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from churn.contract import Role
from churn.drafting.column_kinds import round_up
from churn.drafting.text_column import TextColumn
from churn.evaluation.weighted import Labels

_MOSTLY = 0.95
_OFF = 0.2  # bills change over a customer's life
_LOWEST_RATE = 0.0004


def table_rules(
    columns: Sequence[TextColumn], described: Mapping[str, Mapping[str, Any]], left: Labels
) -> dict[str, Any]:
    """The field `expectations` of a drafted contract.

    Args:
        columns: The table's columns.
        described: Those that the contract describes, as its file says them, by name.
        left: int8[n] of 0 (stayed) and 1 (left).
    """
    rate = float(left.mean())
    rules: dict[str, Any] = {
        "rows": {"minimum": len(left) // 10, "maximum": 100_000_000},
        "target_rate": {
            "minimum": float(f"{rate / 4:.1g}") if rate > _LOWEST_RATE else 0.0,
            "maximum": min(1.0, float(f"{rate * 2.5:.1g}")),
        },
        "psi_warning": 0.1,
        "psi_critical": 0.5,
    }
    charges = _charges(columns, described)
    implications = list(_implications(columns, described))
    if charges:
        rules["charges"] = charges
    if implications:
        rules["implications"] = implications
    return rules


def _charges(
    columns: Sequence[TextColumn], described: Mapping[str, Mapping[str, Any]]
) -> dict[str, float] | None:
    """How far bills may lie from tenure times monthly bill; None where they do not go together."""
    found = []
    for role in (Role.TENURE, Role.MONTHLY_CHARGE, Role.TOTAL_CHARGE):
        for column in columns:
            roles = described.get(column.name, {}).get("roles", ())
            if role.value in roles and column.numbers is not None:
                found.append(np.nan_to_num(column.numbers))
    if len(found) != 3 or float(np.median(found[1])) <= 0:  # noqa: PLR2004 - one of each role
        return None
    tenure, monthly, total = found
    absolute, expected = float(round_up(float(np.median(monthly)))), tenure * monthly
    holds = np.abs(total - expected) <= absolute + _OFF * np.abs(expected)
    if holds.mean() < _MOSTLY:
        return None
    return {"absolute": absolute, "relative": _OFF, "mostly": _MOSTLY}


def _implications(
    columns: Sequence[TextColumn], described: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, str]]:
    """Where one column says "No internet service" exactly where another says "No"."""
    coded = [c for c in columns if described.get(c.name, {}).get("kind") in {"category", "flag"}]
    for column in coded:
        for value in column.texts:
            if not value.casefold().startswith("no "):
                continue
            rows = column.where(value.__eq__)
            for other in coded:
                follows = other.different[other.places[int(np.argmax(rows))]]
                plain = other is not column and follows.casefold() == "no"
                if plain and (rows == other.where(follows.__eq__)).all():
                    yield {
                        "column": column.name,
                        "value": value,
                        "follows_column": other.name,
                        "follows_value": follows,
                    }
                    break
