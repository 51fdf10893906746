"""Whether a hundred promotions sink the champion, on scores whose true ROC-AUC is known.

    python -m benchmarks.evidence_chains [--chains 1000] [--rounds 100] [--trials 2000] [--seed 17]

Prints three Markdown tables: chains of challengers, many looks at the same gate rows, and power. The
gates are the shipped ones, with the shipped margins: ranking against the champion and against the best
version so far. The others are left out; they only refuse more. Scores are normal (the binormal model),
1,374 rows of which 26.5% left; a correlation within an outcome sets the standard error of a paired
difference.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from benchmarks.evidence_promotion import CHAMPION, share
from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.evaluation.delong import paired_delong
from churn.evaluation.plan import PromotionSettings
from churn.evaluation.weighted import Floats
from churn.promotion.comparison_gates import ranking_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.decision import Decision, Gate, decide
from churn.promotion.earlier_decisions import EarlierDecision, best_versions
from churn.promotion.reference_gates import BEST_RANKING, leads

ROWS, RATE = 1374, 0.265
CORRELATIONS = {0.0012: 0.9963, 0.0035: 0.9667, 0.006: 0.899}
"""Of two models' scores within an outcome, by the standard error that it gives."""
STEPS = {"worse by .002": (-0.002, 0.0), "N(0, .004)": (0.0, 0.004)}
"""Mean and spread of a challenger's true ROC-AUC less the current champion's."""
CEILING = 0.10
"""ROC-AUC that can be gained: no model of a table goes beyond what its columns tell, here 0.95."""
MOST_LOST, FEWEST_KEPT = 0.005, 0.95
WORSE, LOOKS, MOST_PROMOTED = -0.010, 50, 0.05
POWER_LOOKS = (1, 2, 3, 10, 100)
WORTH = (0.0, 0.002, 0.005, 0.016)
SETTINGS = PromotionSettings()
CLEARED = decide(
    [Gate(name="given", figure=1, threshold=1, verdict="pass", sentence="Given.")],
    challenger="challenger",
    hashes={"gate_rows": "given"},
)


@dataclass
class Customers:
    """Gate rows, which draw scores for a model of known quality.

    Attributes:
        correlation: of two models' scores, within an outcome.
        generator: source of every draw.
    """

    correlation: float
    generator: np.random.Generator
    rows: GateRows = field(init=False)
    shared: Floats = field(init=False)

    def __post_init__(self) -> None:
        left = (np.arange(ROWS) < round(RATE * ROWS)).astype(np.int8)
        contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
        self.rows = GateRows(columns={"none": left}, target=left, contract=contract)
        self.draw()

    def draw(self) -> None:
        """Takes other customers."""
        self.shared = np.sqrt(self.correlation) * self.generator.normal(size=ROWS)

    def score(self, gained: float) -> Contender:
        """Scores of a model whose true ROC-AUC is that of the first champion plus `gained`."""
        own = np.sqrt(1 - self.correlation) * self.generator.normal(size=ROWS)
        gap = np.sqrt(2) * norm.ppf(CHAMPION + gained)
        return Contender("model", self.shared + own + gap * self.rows.target)


def run_chain(
    customers: Customers, step: tuple[float, float], *, rounds: int, fresh: bool
) -> list[float]:
    """Judges one challenger a round; returns the true ROC-AUC gained of every champion, in order."""
    worth, champions, earlier = [0.0], [0], list[EarlierDecision]()
    scores = {0: customers.score(0.0)}
    for now in range(1, rounds + 1):
        worth.append(min(worth[champions[-1]] + customers.generator.normal(*step), CEILING))
        champion, best = champions[-1], int(best_versions(earlier, str(champions[-1]))[0])
        if fresh:
            customers.draw()
            scores = {each: customers.score(worth[each]) for each in {champion, best}}
        scores[now] = customers.score(worth[now])
        here = 1 if fresh else now
        if _passes(scores, (now, champion, best), customers.rows, here, now):
            decision = CLEARED.model_copy(
                update={"leads": leads(scores[now], scores[best], customers.rows)}
            )
            earlier.append(_recorded(now, champion, decision))
            champions.append(now)
    return [worth[each] for each in champions]


def _passes(
    scores: dict[int, Contender], who: tuple[int, int, int], rows: GateRows, here: int, ever: int
) -> bool:
    challenger, champion, best = (scores[each] for each in who)
    total = SETTINGS.total_roc_auc_margin
    gate = ranking_gate(
        challenger, best, rows, SETTINGS, look=ever, name=BEST_RANKING, margin=total
    )
    if gate.verdict != "pass":  # first, because it refuses most
        return False
    return ranking_gate(challenger, champion, rows, SETTINGS, look=here).verdict == "pass"


def _recorded(version: int, champion: int, decision: Decision) -> EarlierDecision:
    return EarlierDecision(version=str(version), champion_version=str(champion), decision=decision)


def chain_table(chains: int, rounds: int, seed: int) -> str:
    """How far champions sink, as Markdown."""
    heads = (
        *("challengers", "gate rows", "standard error"),
        *("at most .005 below the first", "at most .005 below the best before it"),
        *("promotions a chain", "last champion", "goal"),
    )
    lines = [f"| {' | '.join(heads)} |", f"{'|---' * len(heads)}|"]
    for name in STEPS:
        for fresh in (False, True):
            lines += [chain_row(name, fresh, error, chains, rounds, seed) for error in CORRELATIONS]
    return "\n".join(lines)


def chain_row(name: str, fresh: bool, error: float, chains: int, rounds: int, seed: int) -> str:
    """One line of the table of chains."""
    key = [seed, round(1e4 * error), int(fresh), round(1e4 * STEPS[name][1])]
    customers = Customers(CORRELATIONS[error], np.random.default_rng(key))
    found = []
    for _ in range(chains):
        customers.draw()
        found.append(run_chain(customers, STEPS[name], rounds=rounds, fresh=fresh))
    kept = sum(min(chain) >= -MOST_LOST - 1e-9 for chain in found)
    below = sum(_deepest(chain) <= MOST_LOST + 1e-9 for chain in found)
    promoted = np.mean([len(chain) - 1 for chain in found])
    last = np.mean([chain[-1] for chain in found])
    verdict = "met" if kept >= FEWEST_KEPT * chains else "MISSED"
    rows = "fresh every round" if fresh else "the same"
    return (
        f"| {name} | {rows} | {error:g} | {share(kept, chains)} | {share(below, chains)} | "
        f"{promoted:.1f} | {last:+.4f} | ≥ {FEWEST_KEPT:.0%}: {verdict} |"
    )


def _deepest(chain: list[float]) -> float:
    """How far a champion lay below the best one before it, at most."""
    return float(np.max(np.maximum.accumulate(chain) - chain))


def looks_table(runs: int, seed: int) -> str:
    """How often one of fifty challengers worse by .010 is promoted, as Markdown."""
    lines = [
        "| standard error | any passes against the champion | and against the best so far | goal |",
        "|---|---|---|---|",
    ]
    for error, correlation in CORRELATIONS.items():
        customers = Customers(correlation, np.random.default_rng([seed, round(1e4 * error)]))
        alone = both = 0
        for _ in range(runs):
            customers.draw()
            champion = customers.score(0.0)
            cleared = []
            for look in range(1, LOOKS + 1):
                challenger = customers.score(WORSE)
                gate = ranking_gate(challenger, champion, customers.rows, SETTINGS, look=look)
                if gate.verdict == "pass":
                    scores = {0: champion, 1: challenger}
                    cleared.append(_passes(scores, (1, 0, 0), customers.rows, look, look))
            alone, both = alone + bool(cleared), both + any(cleared)
        verdict = "met" if alone <= MOST_PROMOTED * runs else "MISSED"
        lines.append(
            f"| {error:g} | {share(alone, runs)} | {share(both, runs)} | ≤ {MOST_PROMOTED:.0%}: {verdict} |"
        )
    return "\n".join(lines)


def power_table(trials: int, seed: int) -> str:
    """How often a challenger passes both gates, by look, as Markdown."""
    looks = " | ".join(f"look {look}" for look in POWER_LOOKS)
    lines = [
        f"| standard error | true difference | {looks} |",
        "|---" * (2 + len(POWER_LOOKS)) + "|",
    ]
    for error, correlation in CORRELATIONS.items():
        for gained in WORTH:
            key = [seed, round(1e4 * error), round(1e4 * gained)]
            customers = Customers(correlation, np.random.default_rng(key))
            passed = np.zeros(len(POWER_LOOKS), dtype=int)
            for _ in range(trials):
                customers.draw()
                found = paired_delong(
                    customers.rows.target, customers.score(gained).logit, customers.score(0.0).logit
                )
                bounds = [found.lower_bound(SETTINGS.confidence_at(look)) for look in POWER_LOOKS]
                # The champion is the best so far: its margin is the wider one.
                passed += np.array(bounds) >= -SETTINGS.total_roc_auc_margin
            cells = " | ".join(f"{count / trials:.0%}" for count in passed)
            lines.append(f"| {error:g} | {gained:+.3f} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    print(power_table(options.trials, options.seed), flush=True)
    print(f"\n{looks_table(options.chains, options.seed)}", flush=True)
    print(f"\n{chain_table(options.chains, options.rounds, options.seed)}")


if __name__ == "__main__":
    main()
