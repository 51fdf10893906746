"""`python -m churn.data.sources FROM TO`: copies a table from one address to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from churn.command import print_result
from churn.contract import load_contract
from churn.data.sources import open_sink, open_source
from churn.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Copies the table and returns the exit code."""
    options = _parser().parse_args(arguments)
    return print_result(lambda: _copied(options))


def _copied(options: argparse.Namespace) -> str:
    """Copies chunk by chunk, and says what was done."""
    contract = None if options.contract is None else load_contract(options.contract)
    optional = () if contract is None else contract.unscored
    source = open_source(options.source, contract, optional=optional)
    sink = open_sink(options.sink, key=options.key)
    chunks = source.chunks()
    first = next(chunks, None)
    if first is None:
        raise InputError(f"{source.shown} has no rows, so nothing was written. Name another table.")
    rows = sink.write(chunk.table for chunk in chain([first], chunks))
    return f"{source.shown} -> {sink.shown}: {rows:,} rows, sha256 {source.digest()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m churn.data.sources",
        description="Copies a table from one address to another, all or nothing. docs/sources.md "
        "lists the addresses; passwords come from the environment.",
    )
    add = parser.add_argument
    add("source", metavar="FROM", help="where the table is")
    add("sink", metavar="TO", help="a file, a folder/ or a database's ?table=")
    add(
        "--contract",
        type=Path,
        metavar="FILE",
        help="translate it as this contract's `reading` says",
    )
    add(
        "--key",
        action="append",
        default=[],
        metavar="COLUMN",
        help="replace rows that have the same",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
