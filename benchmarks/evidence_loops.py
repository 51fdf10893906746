"""Three chains of five whole retraining loops: where the champion ends, on customers whose truth is known.

    python -m benchmarks.evidence_loops [--rows 6000] [--loops 5]

Every loop is the real one: training, gates with their shipped margins, promotion, deployment to a service
of this machine, record. Customers come from the generator, so each champion's true ROC-AUC is known: of
its scores against the probabilities that outcomes are drawn with. Prints a Markdown table.

    as good    fresh customers, the same recipe
    worse      fresh customers, trees that are far too few
    drifting   the same recipe; who leaves changes more with every loop
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.data.generator import generate
from churn.monitoring.expected_auc import expected_auc
from churn.retraining.record import LoopRecord, replay
from churn.scoring.bundle import address, store_of_model
from churn.scoring.scorer import Scorer
from runner.demonstration import CONTRACT, FLOORS, MODEL, Demonstration, opened
from runner.silence import set_environment_defaults

MOST_LOST = 0.005
CHAINS = ("as good", "worse", "drifting")
_TRUTH, _TRUTH_SEED = 50_000, 9_999
RECIPE: dict[str, Any] = {
    "candidates": ["logistic"],
    "protocol": {"repeats": 1, "frozen_recipe": "logistic"},
    "explanation": {"samples": 1},
    "floors": FLOORS,
}
WORSE: dict[str, Any] = {
    "candidates": ["gbm"],
    "recipes": {"gbm": {"kind": "gbm", "trees": 10, "depth": 1}},
    "protocol": {"repeats": 1, "frozen_recipe": "gbm", "baseline": "gbm"},
    "explanation": {"samples": 1},
    "floors": {"roc_auc_lower": 0.55, "ece_upper": 0.5, "baseline_margin": 0.05},
}


def drift(chain: str, loop: int) -> float:
    """How far behaviour has changed by a loop."""
    return 0.15 * loop if chain == "drifting" else 0.0


def true_auc(store: str, strength: float) -> float:
    """ROC-AUC of the version in production on customers of today, by the generator's own probabilities."""
    rows = generate(
        load_contract(CONTRACT), _TRUTH, seed=_TRUTH_SEED,
        **({"scenario": "behaviour", "strength": strength} if strength else {}),
    )  # fmt: skip
    found = expected_auc(Scorer.load(store).score_many(rows.columns).logit, rows.probability)
    assert found is not None  # noqa: S101 - both outcomes have a probability
    return found[0]


def run_chain(chain: str, rows: int, loops: int, folder: Path) -> str:
    """Runs one chain; returns its line of the table."""
    with opened(folder) as demo:
        demo.run("training", **{"data.source": f"generated:{rows}?seed=1"}, **RECIPE)
        demo.run("promotion", floors=FLOORS)
        demo.run("deployment", local={"port": demo.port})
        store = str(store_of_model(address(str(folder / "production")), MODEL))
        strength = drift(chain, loops)
        first = true_auc(store, strength)
        found = [_loop(demo, chain, rows, loop) for loop in range(1, loops + 1)]
        last = true_auc(store, strength)
    outcomes = [each.decision.outcome for each in found]
    same = all(replay(path)[1] for path in (folder / "retraining").glob("*.json"))
    serving = found[-1].decision.serving == Scorer.load(store).version
    kept = "met" if last >= first - MOST_LOST and same and serving else "MISSED"
    return f"| {chain} | {', '.join(outcomes)} | {first:.4f} | {last:.4f} | {last - first:+.4f} | {kept} |"


def _loop(demo: Demonstration, chain: str, rows: int, loop: int) -> LoopRecord:
    strength = drift(chain, loop)
    changed = f"&scenario=behaviour&strength={strength:g}" if strength else ""
    settings: dict[str, Any] = {
        "person": "benchmark",
        "runs.training": WORSE if chain == "worse" else RECIPE,
        "runs.promotion": {"floors": FLOORS},
        "rules.probation.days": 0,
    }
    _, record = demo.loop(f"generated:{rows}?seed={100 + loop}{changed}", **settings)
    print(f"{chain}, loop {loop}: {record.sentence}", file=sys.stderr, flush=True)
    return record


def main() -> None:
    """Runs each chain in a process of its own, as ZenML keeps one registry a process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--loops", type=int, default=5)
    parser.add_argument("--chain", choices=CHAINS, help="this one alone, without the table's head")
    options = parser.parse_args()
    set_environment_defaults()
    if options.chain:
        with tempfile.TemporaryDirectory() as folder:
            print(run_chain(options.chain, options.rows, options.loops, Path(folder) / "loops"))
        return
    heads = (
        "chain", "loops", "ROC-AUC of the first champion", "of the last", "difference",
        f"at most {MOST_LOST} lost, records replay",
    )  # fmt: skip
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|", flush=True)
    given = ["--rows", str(options.rows), "--loops", str(options.loops)]
    for chain in CHAINS:
        command = [sys.executable, "-m", "benchmarks.evidence_loops", "--chain", chain, *given]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
