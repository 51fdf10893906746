"""`python -m churn.data.generator`: writes synthetic customers to a file."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from churn.command import print_result
from churn.contract import load_contract
from churn.data.generator.customers import GeneratedCustomers
from churn.data.generator.generator_settings import GeneratorSettings
from churn.data.generator.scenarios import SCENARIOS
from churn.data.sources import open_sink
from churn.root import ROOT

_CONTRACT = ROOT / "data" / "contracts" / "telco.yaml"
_QUIET_SECONDS = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Generates what was asked for and returns the exit code."""
    options = {
        name: said
        for name, said in vars(_parser().parse_args(arguments)).items()
        if said is not None
    }
    return print_result(lambda: _generate(options))


def _generate(options: dict[str, Any]) -> str:
    """Writes the file and returns what to say about it."""
    output, contract = options.pop("output"), options.pop("contract")
    sink = open_sink(output)
    settings = GeneratorSettings.read(options)
    customers = GeneratedCustomers(load_contract(contract), settings)
    sink.write(_watched(customers.tables(), settings.rows))
    return f"{sink.shown}: {settings.rows:,} synthetic customers, {settings.address}"


def _watched(tables: Iterator[Any], rows: int) -> Iterator[Any]:
    """The same tables; a line on stderr every two seconds says how far they are."""
    done, said = 0, time.monotonic()
    for table in tables:
        yield table
        done += table.num_rows
        if time.monotonic() - said > _QUIET_SECONDS:
            said = time.monotonic()
            sys.stderr.write(f"{done:,} of {rows:,} customers\n")


def _parser() -> argparse.ArgumentParser:
    drifts = "\n".join(
        f"  {name:14} {each.changes.format(strength=each.strength)}"
        for name, each in SCENARIOS.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m churn.data.generator",
        description="Writes synthetic customers that look like the snapshot of a data contract.",
        epilog=f"scenarios, at the strength that each has unless --strength is given:\n{drifts}\n\n"
        "docs/generator.md has the rest.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("rows", metavar="ROWS", help="how many customers")
    place = ".parquet, .csv or .csv.gz, or another address that tables are written to"
    add("--output", required=True, metavar="FILE", help=place)
    add("--contract", type=Path, default=_CONTRACT, metavar="FILE", help="default: telco's")
    add("--seed", metavar="N", help="equal seeds give equal customers (default: 7)")
    add("--scenario", metavar="NAME", help="a drift, listed below (default: none)")
    add("--strength", metavar="X", help="of the drift, above 0 and at most 1")
    add("--column", metavar="NAME", help="that broken_join, lost_join or behaviour acts on")
    add("--weeks", metavar="N", help="observe the customers over so many weeks, evenly")
    add("--start", metavar="DATE", help="the first day (default: 2026-01-05)")
    add("--since", metavar="WEEK", help="week from which the drift acts (default: 1)")
    add("--with-outcomes", action="store_true", dest="outcomes", help="write the target, too")
    add("--outcome-delay", metavar="DAYS", dest="outcome_delay", help="default: 30")
    add("--with-truth", action="store_true", dest="truth", help="write each outcome's probability")
    return parser


if __name__ == "__main__":
    sys.exit(main())
