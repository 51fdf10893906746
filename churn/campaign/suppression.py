"""Customers who must not be contacted: a CSV file with their ids, and why."""

from __future__ import annotations

import csv
from pathlib import Path

from churn.errors import InputError, error_reason

_REASON = "reason"
_UNSAID = "on the suppression list"


def read_suppressions(path: Path, id_name: str) -> dict[str, str]:
    """Customer id -> why, from a CSV file with the contract's id column and, if it likes, `reason`.

    Raises:
        InputError: the file cannot be read, or a line has no id.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if id_name not in (rows.fieldnames or ()):
                raise InputError(
                    f"The suppression list {path} has no column '{id_name}' in line 1; give it one, and "
                    "`reason` beside it where there are reasons."
                )
            found = {}
            for row in rows:
                customer = (row[id_name] or "").strip()
                if not customer:
                    raise InputError(
                        f"The suppression list {path} has no '{id_name}' in line {rows.line_num}; fill "
                        "it in or delete the line."
                    )
                found[customer] = (row.get(_REASON) or "").strip() or _UNSAID
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"The suppression list {path} cannot be read: {error_reason(error)}."
        ) from None
    return found
