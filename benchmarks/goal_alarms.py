"""A thousand years of weekly checks without drift, for windows of each size: how many have an alarm.

Hours of work. What is done lies in a file, so that a run that was stopped goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from benchmarks.evidence_drift import MOST_FALSE, false_alarm_table, false_alarms, quiet
from benchmarks.goals import Figure
from benchmarks.quiet_years import SIZES, QuietYear, add_years, read_years
from benchmarks.trainings import Trainings
from churn.home import home

_SEED = 11
_YEARS = 1_000


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Upper limits of both rates, at every size."""
    file = home() / "benchmarks" / "quiet-years.jsonl"
    print(f"the years are kept in {file}", file=sys.stderr, flush=True)
    add_years(file, 10 if trainings.quick else _YEARS, _SEED, SIZES)
    yield from false_alarm_figures(read_years(file), binding=not trainings.quick)


def false_alarm_figures(years: Sequence[QuietYear], *, binding: bool) -> Iterator[Figure]:
    """The upper limits; the table with the rules of others is printed."""
    found = quiet(years)
    print(false_alarm_table(found), end="\n\n", flush=True)
    for rows, each in found.items():
        rates = false_alarms(each)
        how = f"one-sided 95% upper limit, {len(each.p_values):,} years of 52 checks, drawn afresh"
        for what, limit in (
            ("checks that say watch", rates.most_watch),
            ("years with an alarm", rates.most_alarm),
        ):
            goal = f"{what} without drift, {rows:,} rows"
            yield Figure(goal, 100 * MOST_FALSE, "%", (100 * limit,), how, binding)
