"""`python -m churn.retraining RECORD.json`: decides again from a record's inputs, and compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.command import print_result
from churn.errors import ChurnError
from churn.retraining.record import replay


def main(arguments: Sequence[str] | None = None) -> int:
    """Replays a record and returns the exit code: 0 where the decision is the same."""
    parser = argparse.ArgumentParser(
        prog="python -m churn.retraining",
        description="Decides again from the inputs of a retraining's record, and compares.",
    )
    parser.add_argument("record", type=Path, metavar="RECORD.json")
    options = parser.parse_args(arguments)
    return print_result(lambda: _replayed(options.record))


def _replayed(path: Path) -> str:
    record, same = replay(path)
    if not same:
        raise ChurnError(
            f"The decision in {path} does not follow from its inputs: another release made it, or "
            "somebody changed the file. The ledger has the events themselves."
        )
    return f"the same decision, byte for byte: {record.sentence}"


if __name__ == "__main__":
    sys.exit(main())
