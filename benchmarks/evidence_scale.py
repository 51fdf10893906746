"""What the boosted trees cost at a hundred times the table: CPU-seconds of a fit, peak memory.

    python -m benchmarks.evidence_scale [--rows 700000] [--seed 1] [--json]

The rows are generated: customers drawn with replacement from the real table, their numbers moved a
little, so that LightGBM meets many values instead of the same seven thousand rows again and again.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from typing import Any

import numpy as np

from benchmarks.goals import Figure, table
from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.features.encoding import Columns, encode, encode_target, take
from churn.home import home
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes

ROWS = 700_000
SECONDS = 60.0
GIGABYTES = 1.5
_JITTER = 0.02  # of a number's standard deviation


def generate(
    columns: Columns, target: Any, contract: DataContract, *, rows: int, seed: int
) -> tuple[Columns, Any]:
    """So many customers: real ones drawn with replacement, numbers moved within their bounds."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(target), rows)
    made = dict(take(columns, drawn))
    for column in contract.numbers:
        values = made[column.name]
        moved = values + generator.normal(0, _JITTER * values.std(), rows)
        moved = np.clip(moved, column.minimum, column.maximum)
        made[column.name] = np.round(moved) if column.integer else moved
    return made, target[drawn]


def main() -> int:
    """Measures and prints; exits with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="only the fit's CPU-seconds, as JSON")
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    columns, target = generate(
        encode(customers.frame, contract),
        encode_target(customers.frame, contract),
        contract,
        rows=options.rows,
        seed=options.seed,
    )
    candidate = build_candidates(["gbm"], default_recipes(), contract)["gbm"]
    began = time.process_time()
    candidate.fit(columns, target)
    seconds = time.process_time() - began
    if options.json:
        print(json.dumps({"seconds": seconds}))
        return 0
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kibibytes here
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    how = f"gbm, {options.rows:,} generated rows"
    judged = options.rows >= ROWS
    figures = [
        Figure("A fit of the trees", SECONDS, "CPU-s", (seconds,), how, judged),
        Figure("Peak memory, the data included", GIGABYTES, "GB", (peak,), how, judged),
    ]
    print(table(figures))
    return int(any(figure.verdict == "MISSED" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
