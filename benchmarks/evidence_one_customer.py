"""One raw customer to a probability, beside the same model through other interfaces.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_one_customer [--rounds 7]

Prints one JSON object, a ratio of CPU times a round: the trees' score over encoder and
`Booster.predict`, the blend's score over a scikit-learn pipeline on a one-row DataFrame. Both sides
of a round score the same customers, one after the other, and must agree.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.evidence_scoring import (
    CLOSE,
    BoosterPath,
    Row,
    as_table,
    fit_shipped,
    one_by_one,
    require_equal,
)

SOME, FEW = 2000, 100


def seconds(work: Callable[[Sequence[Row]], object], rows: Sequence[Row]) -> float:
    """CPU seconds a customer."""
    began = time.process_time()
    work(rows)
    return (time.process_time() - began) / len(rows)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        shipped = fit_shipped(Path(scratch))
    table = as_table(shipped.columns, shipped.contract)
    rows: list[Row] = table.head(SOME).to_dict("records")  # type: ignore[assignment]
    few = rows[:: SOME // FEW]
    path, peer = BoosterPath(shipped.contract, shipped.trees), shipped.peer()

    def by_booster(some: Sequence[Row]) -> list[float]:
        return [path.logit(row) for row in some]

    def by_scorer(name: str) -> Callable[[Sequence[Row]], list[float]]:
        return lambda some: [shipped.scorers[name].score_one(row).logit for row in some]

    require_equal("Booster.predict", by_booster(few), by_scorer("gbm")(few), 0)
    require_equal("the pipeline", one_by_one(peer, few), by_scorer("blend")(few), CLOSE)
    ratios: dict[str, list[float]] = {"booster": [], "pipeline": []}
    for _ in range(rounds):
        ratios["booster"].append(seconds(by_scorer("gbm"), rows) / seconds(by_booster, rows))
        slow = seconds(lambda some: one_by_one(peer, some), few)
        ratios["pipeline"].append(seconds(by_scorer("blend"), rows) / slow)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
