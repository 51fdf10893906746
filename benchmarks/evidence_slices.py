"""How often the slice gates hold a challenger that is off in one slice, and one that is off nowhere.

    python -m benchmarks.evidence_slices [--trials 1000] [--rows 1374] [--shift -0.8] [--seed 11]

Prints a Markdown table. The champion's scores are the shipped blend's, out of fold, of customers of the
shipped table; outcomes are drawn from its probabilities, so it is true in every slice. The challenger
differs by the noise of a new training, and in one slice by a shift of its log-odds. The gates are the
shipped ones, with the shipped margins; both models select from one threshold.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.evaluation.cross_validation import cross_validate
from churn.evaluation.disparities import wilson_interval
from churn.evaluation.plan import PromotionSettings, ProtocolPlan
from churn.evaluation.slicing import declared_slices
from churn.evaluation.weighted import Floats
from churn.features.encoding import Columns, encode, encode_target, take
from churn.home import home
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.promotion.comparison_gates import slices_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.slice_gates import rates_gate, reach_gate

NOWHERE = "nowhere"
NOISE = 0.27
"""Spread of the log-odds between two blends, each fitted on its own bootstrap sample of the table."""
LARGE, LEAST_HELD, MOST_HELD = 400, 0.8, 0.1


@dataclass
class Row:
    """Verdicts on challengers that are shifted in one slice.

    Attributes:
        customers: mean number of customers in the slice.
        leavers: mean number of those who left.
        held: how often each gate did not pass, and either of the two.
    """

    name: str
    customers: float = 0
    leavers: float = 0
    held: Counter[str] = field(default_factory=Counter)


def simulate(
    columns: Columns,
    champion: Floats,
    contract: DataContract,
    *,
    trials: int,
    rows: int,
    shift: float,
    threshold: float,
    seed: int,
) -> list[Row]:
    """Judges challengers that are shifted nowhere, and in each slice that is large enough."""
    settings, generator = PromotionSettings(), np.random.default_rng(seed)
    found: dict[str, Row] = {}
    for _ in range(trials):
        drawn = generator.choice(len(champion), rows, replace=False)
        score = champion[drawn]
        target = (generator.random(rows) < expit(score)).astype(np.int8)
        judged = GateRows(columns=take(columns, drawn), target=target, contract=contract)
        retrained = score + NOISE * generator.normal(size=rows)
        reference = Contender("champion", score, threshold=threshold)
        members = {NOWHERE: np.zeros(rows, dtype=bool)} | {
            part.name: part.member
            for part in declared_slices(judged.columns, contract)[0]
            if part.member.sum() >= LARGE
        }
        for name, member in members.items():
            challenger = Contender("challenger", retrained + shift * member, threshold=threshold)
            row = found.setdefault(name, Row(name))
            row.customers += int(member.sum())
            row.leavers += int(target[member].sum())
            reach = reach_gate(challenger, reference, judged, settings).verdict != "pass"
            rates = rates_gate(challenger, judged, settings).verdict != "pass"
            collapses = slices_gate(challenger, reference, judged, settings).verdict != "pass"
            row.held.update(
                trials=1, reach=reach, rates=rates, either=reach or rates, collapses=collapses
            )
    return list(found.values())


def table(rows: list[Row]) -> str:
    """What was found, as Markdown."""
    lines = [
        "| shifted | customers | leavers | reach | rate | either | ranking (rejected) | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        trials = row.held["trials"]
        shares = " | ".join(
            f"{row.held[each] / trials:.1%} ({wilson_interval(row.held[each], trials).span('.1%')})"
            for each in ("reach", "rates", "either", "collapses")
        )
        counts = f"{row.customers / trials:,.0f} | {row.leavers / trials:,.0f}"
        lines.append(f"| {row.name} | {counts} | {shares} | {_goal(row)} |")
    return "\n".join(lines)


def _goal(row: Row) -> str:
    held = row.held["either"] / row.held["trials"]
    if row.name == NOWHERE:
        return f"≤ {MOST_HELD:.0%}: {'met' if held <= MOST_HELD else 'MISSED'}"
    return f"≥ {LEAST_HELD:.0%}: {'met' if held >= LEAST_HELD else 'MISSED'}"


def out_of_fold_scores(contract: DataContract) -> tuple[Columns, Floats]:
    """The shipped table's feature columns, and the blend's log-odds of each customer, out of fold."""
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    columns = encode(customers.frame, contract)
    candidates = build_candidates(["blend"], default_recipes(), contract)
    plan = ProtocolPlan(folds=5, repeats=1, seed=7, bootstrap_samples=0)
    scored = cross_validate(candidates, columns, encode_target(customers.frame, contract), plan)
    return columns, scored.mean_logit("blend")


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1374)
    parser.add_argument("--shift", type=float, default=-0.8, help="of the log-odds in the slice")
    parser.add_argument("--threshold", type=float, default=0.173, help="the shipped table's own")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    columns, champion = out_of_fold_scores(contract)
    found = simulate(
        columns,
        champion,
        contract,
        trials=options.trials,
        rows=options.rows,
        shift=options.shift,
        threshold=options.threshold,
        seed=options.seed,
    )
    print(table(found))


if __name__ == "__main__":
    main()
