"""Years without drift, one a line of a file, so that hours of them can be done in parts.

    python -m benchmarks.quiet_years FILE [--years 1000] [--seed 11] [--sizes 100 500 2000]

A year has a reference of its own and 52 windows of each size, all drawn afresh. A year that the
file has already is not done again. Several seeds, each in a file of its own, may run at once;
`benchmarks.evidence_drift` makes the table of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.drift_population import Populations, Rows
from benchmarks.measuring import BenchmarkError
from benchmarks.peer_drift_rules import peer_verdicts
from churn.monitoring.drift_check import check_drift
from churn.monitoring.drift_reference import DriftReference

CHECKS = 52
SIZES = (100, 500, 2000)
POPULATION = 400_000


@dataclass(frozen=True)
class QuietYear:
    """The checks of one size of window in one year without drift.

    Attributes:
        seed: of the population.
        year: of that seed.
        rows: of a window.
        p_values: of the checks.
        peers: what the rules of others said of the first window.
    """

    seed: int
    year: int
    rows: int
    p_values: list[float]
    peers: dict[str, bool]


def quiet_year(
    populations: Populations, seed: int, year: int, sizes: Iterable[int]
) -> list[QuietYear]:
    """Draws and checks one year; each size has its own windows, all have the year's reference."""
    reference, known = populations.reference(np.random.default_rng([seed, year]))
    found = []
    for rows in sizes:
        generator = np.random.default_rng([seed, year, rows])
        windows = [populations.draw(rows, generator) for _ in range(CHECKS)]
        p_values = [p_value(reference, window) for window in windows]
        peers = peer_verdicts(reference, known, windows[0])
        found.append(QuietYear(seed, year, rows, p_values, peers))
    return found


def p_value(reference: DriftReference, window: Rows) -> float:
    """Of one check; 1 where it cannot tell."""
    result = check_drift(reference, window.columns, window.probability)
    return 1.0 if result.p_value is None else result.p_value


def read_years(*files: Path) -> list[QuietYear]:
    """Every year that the files hold, once; a last line that a kill cut short does not count."""
    found = {}
    for file in files:
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                each = QuietYear(**json.loads(line))
                found[each.seed, each.year, each.rows] = each
    return list(found.values())


def add_years(file: Path, years: int, seed: int, sizes: Sequence[int]) -> None:
    """Simulates what the file lacks of so many years, and writes each when it is done.

    Raises:
        BenchmarkError: the check has changed since the file was begun.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    before = [each for each in read_years(file) if each.seed == seed]
    populations = Populations(POPULATION, seed)
    if before and quiet_year(populations, seed, before[0].year, [before[0].rows]) != before[:1]:
        raise BenchmarkError(
            f"The first year in {file} comes out otherwise now: the check or the customers have "
            "changed since. Begin another file."
        )
    file.write_text("".join(_line(each) for each in read_years(file)))
    done = {(each.year, each.rows) for each in before}
    for year in range(years):
        if missing := [rows for rows in sizes if (year, rows) not in done]:
            found = quiet_year(populations, seed, year, missing)
            with file.open("a") as kept:
                kept.write("".join(_line(each) for each in found))


def _line(year: QuietYear) -> str:
    return json.dumps(asdict(year)) + "\n"


def main() -> None:
    """Simulates the years that the file lacks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--years", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    add_years(options.file, options.years, options.seed, options.sizes)


if __name__ == "__main__":
    main()
