"""`python -m churn.ledger.record_csv treatments FILE`: who was treated, or outcomes, from a CSV file.

For businesses whose campaigns and contracts live in other systems. The file goes in whole or not at
all; a sentence about a line at fault names its number and column, never its customer.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from churn.command import print_result
from churn.errors import InputError
from churn.home import home
from churn.ledger.matched_treatments import CLOCKS_DIFFER
from churn.ledger.predictions import Outcome, PredictionLedger, TreatmentRecord

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_LONGEST = {"prediction_id": 64, "customer": 200}
_KINDS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "treatments": ("assigned_at", "treated", TreatmentRecord),
    "outcomes": ("observed_at", "churned", Outcome),
}
"""Kind -> its column of times, its column of yes and no, and its record."""


def read_records(path: Path, kind: str, now: datetime) -> list[Any]:
    """Reads a file of treatments or outcomes.

    Args:
        path: a CSV file with a header, in UTF-8.
        kind: `treatments` or `outcomes`.
        now: what is later is refused.

    Raises:
        InputError: the file cannot be read, or a line is at fault.
    """
    time, truth, record = _KINDS[kind]
    needed = {time, truth}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            given = list(rows.fieldnames or ())
            names = set(given)
            if names - needed - set(_LONGEST) or needed - names or not names & set(_LONGEST):
                raise InputError(
                    f"{path} has the columns {', '.join(sorted(names)) or 'none'}; {kind} need "
                    f"{time}, {truth}, and customer or prediction_id or both, and no others."
                )
            if len(given) > len(names):
                raise InputError(f"{path} has a column twice. Remove one of the two.")
            return [
                record(
                    _moment(row, time, now, f"{path} line {rows.line_num}"),
                    _truth(row, truth, f"{path} line {rows.line_num}"),
                    **_names(row, f"{path} line {rows.line_num}"),
                )
                for row in rows
            ]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV file in UTF-8"
        raise InputError(f"{path} cannot be read: {reason}.") from None


def _moment(row: dict[str, Any], name: str, now: datetime, place: str) -> datetime:
    try:
        found = datetime.fromisoformat((row[name] or "").strip())
        at = found if found.tzinfo else found.replace(tzinfo=UTC)
        is_past = at <= now + CLOCKS_DIFFER
    except (ValueError, OverflowError):
        raise InputError(
            f"{place}: {name} is no time such as 2026-11-30T12:00:00+00:00; without a zone it is UTC."
        ) from None
    if not is_past:
        raise InputError(f"{place}: {name} is in the future. Give when it happened.")
    return at


def _truth(row: dict[str, Any], name: str, place: str) -> bool:
    found = _TRUTH.get((row[name] or "").strip().lower())
    if found is None:
        raise InputError(f"{place}: {name} is neither true nor false.")
    return found


def _names(row: dict[str, Any], place: str) -> dict[str, str | None]:
    if None in row or None in row.values():
        raise InputError(f"{place} has another number of fields than the header.")
    found = {name: (row.get(name) or "").strip() or None for name in _LONGEST}
    if not any(found.values()):
        raise InputError(f"{place} names neither customer nor prediction_id.")
    for name, longest in _LONGEST.items():
        if len(found[name] or "") > longest or "\0" in (found[name] or ""):
            raise InputError(f"{place}: {name} is longer than {longest} letters, or is no text.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Records a file and returns the exit code."""
    options = _parser().parse_args(arguments)
    return print_result(lambda: _record(options))


def _record(options: argparse.Namespace) -> str:
    records = read_records(options.file, options.kind, datetime.now(UTC))
    address = options.ledger or f"sqlite:///{home() / 'ledger.db'}"
    with PredictionLedger(address) as ledger:
        if options.kind == "treatments":
            ledger.record_treatments(records)
        else:
            ledger.record_outcomes(records)
    return f"{len(records):,} {options.kind} recorded"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m churn.ledger.record_csv",
        description="Records who was treated, or what became of customers, from a CSV file.",
    )
    add = parser.add_argument
    add("kind", choices=sorted(_KINDS), help="what the file has")
    add("file", type=Path, metavar="FILE", help="CSV with a header")
    add("--ledger", metavar="ADDRESS", help="the ledger's database (default: this machine's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
