"""The lists of earlier runs, in folders named by their day."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path

from churn.errors import InputError

CALL_LIST = "call-list.csv"
NOT_CALLED = "not-called.csv"
MISSED = "missed-leavers.csv"
_MODEL = "model.txt"


def lists_folder(root: Path, model: str) -> Path:
    """Where a model's lists lie: the root, or a folder in it where the root has another model's."""
    owner = root / _MODEL
    if owner.is_file() and owner.read_text(encoding="utf-8").strip() != model:
        return root / model
    return root


def claim_folder(folder: Path, model: str) -> None:
    """Makes the folder, and keeps the lists of other models out of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MODEL).write_text(f"{model}\n", encoding="utf-8")


def earlier_days(folder: Path, before: date) -> Iterator[tuple[date, Path]]:
    """The days before one that have lists, newest first, each with its folder."""
    for path in sorted(folder.iterdir() if folder.is_dir() else (), reverse=True):
        try:
            day = date.fromisoformat(path.name)
        except ValueError:
            continue
        if day < before and (path / CALL_LIST).is_file():
            yield day, path


def recently_called(folder: Path, today: date, days: int) -> dict[str, str]:
    """Customer id -> why they are left alone: who was on a call list of the last so many days."""
    found: dict[str, str] = {}
    for day, path in earlier_days(folder, today):
        if day < today - timedelta(days):
            break
        for customer in _listed(path / CALL_LIST):
            found.setdefault(customer, f"was on the call list of {day}")
    return found


def require_nobody_forgotten(folder: Path, today: date, customers: Collection[str]) -> None:
    """Checks that a second run on one day replaces no list of customers who are gone now.

    Raises:
        InputError: somebody of that list is not among the customers.
    """
    path = folder / today.isoformat() / CALL_LIST
    gone = len(set(_listed(path)) - set(customers)) if path.is_file() else 0
    if gone:
        raise InputError(
            f"{gone:,} customers of today's call list {path} are not in this run's table. The run would "
            "replace that list, and forget that they were called. Run it with a table that has them, with "
            f"another output.folder or on another day; or delete {path.parent} if nobody was called."
        )


def _listed(path: Path) -> list[str]:
    from pyarrow import csv

    options = csv.ConvertOptions(
        include_columns=["customer_id"], column_types={"customer_id": "str"}
    )
    listed: list[str] = csv.read_csv(path, convert_options=options)["customer_id"].to_pylist()
    return listed
