"""`python -m churn.batch.compact_inputs MODEL`: JSON lines of the days that are over become parquet.

A killed run is repeated without loss: a file of lines goes once its parquet file is complete, and the
same lines give the same file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from churn.batch.chosen_version import choose_version, load_scorer
from churn.batch.given_places import place_of
from churn.batch.output_folder import OutputFolder, output_folder
from churn.command import print_result
from churn.contract import DataContract
from churn.home import home
from churn.kept_inputs.day_files import inputs_table, keep, lines_before, remove_before
from churn.scoring.bundle import address, store_of_model
from churn.scoring.encoder import RowEncoder
from churn.scoring.fields import FieldError


def compact(
    lines: OutputFolder, parquet: OutputFolder, contract: DataContract, *, days: int, today: date
) -> Counter[str]:
    """Makes parquet of the lines of all days before `today`, and deletes what is older than `days`.

    Args:
        lines: folder of the model's JSON lines.
        parquet: folder of the model's inputs, which may be the same.
        contract: that the model reads by.
        days: how long inputs are kept.
        today: in UTC; its lines are still written to.

    Returns:
        How many `files` and `rows` there were, and how many lines were `refused`: broken off by a
        killed process, or of another contract.
    """
    done: Counter[str] = Counter()
    oldest = today - timedelta(days)
    encoder = RowEncoder(contract)
    with lines.locked():
        remove_before(lines, oldest)
        for name in lines_before(lines, today):
            content = lines.read(name)
            if content is None:
                continue
            table, refused = _table(content, encoder)
            if table.num_rows:
                # A line that came late must not take the place of those that were there before.
                digest = hashlib.sha256(content).hexdigest()[:8]
                keep(parquet, f"{name.removesuffix('.jsonl')}-{digest}.parquet", table)
            lines.remove(name)
            done.update(files=1, rows=table.num_rows, refused=refused)
    remove_before(parquet, oldest)
    return done


def _table(content: bytes, encoder: RowEncoder) -> tuple[Any, int]:
    """The rows that the contract allows, and how many lines are none."""
    contract, id_field = encoder.contract, encoder.contract.id.name
    encoded, customers, refused = [], [], 0
    for line in content.splitlines():
        try:
            row = json.loads(line)
            encoded.append(encoder.encode(row))
        except (ValueError, TypeError, FieldError):
            refused += 1
            continue
        customers.append(row.get(id_field))
    return inputs_table(encoder.as_columns(encoded), customers, contract, None), refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Compacts the inputs of one model and returns the exit code."""
    options = _parser().parse_args(arguments)
    return print_result(lambda: _compact(options))


def _compact(options: argparse.Namespace) -> str:
    model, here = options.model, home()
    store = store_of_model(address(options.store or str(here / "production")), model)
    chosen = choose_version(store, model)
    contract = load_scorer(store, chosen.version, chosen.digest)[0].contract
    inputs = options.inputs or str(here / "inputs")
    done = compact(
        output_folder(Path(inputs).expanduser() / model),
        output_folder(f"{place_of(options.output or inputs)}/{model}"),
        contract,
        days=options.days,
        today=datetime.now(UTC).date(),
    )
    said = f"{done['rows']:,} customers of {done['files']:,} files kept"
    return f"{said}, {done['refused']:,} lines refused" if done["refused"] else said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m churn.batch.compact_inputs",
        description="Parquet files of what services have kept on the days that are over.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="name of the model, such as telco-churn")
    add("--inputs", metavar="FOLDER", help="of the services (default: inputs in the state folder)")
    add("--output", metavar="PLACE", help="folder or bucket of the parquet (default: the same)")
    add("--days", type=int, default=90, help="how long inputs are kept (default: 90)")
    add("--store", metavar="PLACE", help="bundle stores (default: production in the state folder)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
