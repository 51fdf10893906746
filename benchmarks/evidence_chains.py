"""Whether a hundred promotions sink the champion, on scores whose true ROC-AUC is known.

    python -m benchmarks.evidence_chains [--chains 1000] [--rounds 100] [--seed 17]

Prints three Markdown tables: power, many looks at the same gate rows, and chains of challengers. Asked
are the gates on ranking against the champion and the best version so far, with the shipped margins and
levels; the others only refuse more. Scores are normal (the binormal model), 1,374 rows of which 26.5%
left; a correlation within an outcome sets the standard error of a paired difference. All chains run
side by side, so DeLong's bounds are computed for all at once (a test compares them with the gate's);
whether a challenger is promoted is the loop's own decision.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.evidence_promotion import CHAMPION, share
from churn.evaluation.plan import PromotionSettings
from churn.evaluation.weighted import Floats
from churn.monitoring.policy import RetrainingEvidence, RetrainingPolicy
from churn.promotion.comparison_gates import RANKING
from churn.promotion.decision import Gate, GateVerdict
from churn.promotion.reference_gates import BEST_RANKING
from churn.retraining.decision import decide_loop
from churn.retraining.evidence import (
    GateFacts,
    LoopEvidence,
    SnapshotFacts,
    TrainingFacts,
    TriggerInputs,
)
from churn.settings.retraining_rules import LoopRules

ROWS, LEAVERS = 1374, 364
CORRELATIONS = {0.0012: 0.9960, 0.0035: 0.9634, 0.006: 0.8933}
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
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOOP = LoopEvidence(
    trigger=TriggerInputs(
        evidence=RetrainingEvidence(champion_trained_at=NOW, asked_by="the benchmark"),
        policy=RetrainingPolicy(),
        now=NOW,
    ),
    snapshot=SnapshotFacts(location="", source="", sha256="", contract="", rows=ROWS),
    champion="1",
    code="",
    rules=LoopRules(),
    training=TrainingFacts(version="2", verdict="promote", sentence="It is cleared."),
)
"""A loop whose challenger is trained; only what the gates say is missing."""


@dataclass
class Placements:
    """How the scores of m models, of m draws of customers, rank leavers and others (DeLong)."""

    left: Floats
    stayed: Floats

    @classmethod
    def of(cls, scores: Floats) -> Placements:
        """Of scores [m, rows] without ties, the leavers first."""
        order = np.argsort(scores, axis=1)
        is_leaver = order < LEAVERS
        leavers_below = np.cumsum(is_leaver, axis=1)
        others_below = np.arange(1, ROWS + 1) - leavers_below
        share = np.where(is_leaver, others_below / (ROWS - LEAVERS), 1 - leavers_below / LEAVERS)
        placed = np.empty_like(scores)
        np.put_along_axis(placed, order, share, axis=1)
        return cls(placed[:, :LEAVERS], placed[:, LEAVERS:])

    def less(self, other: Placements) -> tuple[Floats, Floats]:
        """Differences of the areas, and their standard errors."""
        left, stayed = self.left - other.left, self.stayed - other.stayed
        variance = left.var(axis=1, ddof=1) / LEAVERS
        variance += stayed.var(axis=1, ddof=1) / (ROWS - LEAVERS)
        return left.mean(axis=1), np.sqrt(variance)

    def where(self, chosen: NDArray[np.bool_], other: Placements) -> Placements:
        """These where chosen, the other's elsewhere."""
        kept = chosen[:, None]
        return Placements(
            np.where(kept, self.left, other.left), np.where(kept, self.stayed, other.stayed)
        )


@dataclass
class Customers:
    """Gate rows of m chains, which draw scores for models of known quality."""

    chains: int
    correlation: float
    generator: np.random.Generator

    def __post_init__(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Takes other customers."""
        drawn = self.generator.normal(size=(self.chains, ROWS))
        self.shared = np.sqrt(self.correlation) * drawn

    def scored(self, gained: Floats | float) -> Placements:
        """Models whose true ROC-AUC is the first champion's plus `gained`."""
        own = self.generator.normal(size=(self.chains, ROWS))
        scores = self.shared + np.sqrt(1 - self.correlation) * own
        gap = np.sqrt(2) * norm.ppf(CHAMPION + np.broadcast_to(gained, self.chains))
        scores[:, :LEAVERS] += gap[:, None]
        return Placements.of(scores)


def verdicts(found: tuple[Floats, Floats], margin: float, look: int) -> list[GateVerdict]:
    """What a ranking gate says of each difference, by its one-sided bounds."""
    difference, error = found
    half = norm.ppf(SETTINGS.confidence_at(look)) * error
    said = np.where(difference - half >= -margin, "pass", "insufficient evidence")
    said[difference + half < -margin] = "fail"
    return list(map(str, said))  # type: ignore[arg-type]


def passes(found: tuple[Floats, Floats], margin: float, look: int) -> NDArray[np.bool_]:
    """Whether the gate passes."""
    return np.array([each == "pass" for each in verdicts(found, margin, look)])


@cache
def loop_promotes(champion: GateVerdict, best: GateVerdict) -> bool:
    """Whether the loop's own decision promotes a challenger, given what the two gates say."""
    gates = tuple(
        Gate(name=name, figure=0.0, threshold=0.0, verdict=verdict, sentence=f"{name}: {verdict}.")
        for name, verdict in ((RANKING, champion), (BEST_RANKING, best))
    )
    return decide_loop(LOOP.model_copy(update={"gates": GateFacts(gates=gates)})).next == "promote"


@dataclass
class Chains:
    """What became of the champions.

    Attributes:
        last: true ROC-AUC gained by the last champion.
        lowest: by the lowest.
        deepest: how far a champion lay below the best one before it, at most.
        promoted: how many challengers were.
    """

    last: Floats
    lowest: Floats
    deepest: Floats
    promoted: Floats


def run_chains(
    customers: Customers, step: tuple[float, float], *, rounds: int, fresh: bool
) -> Chains:
    """Judges one challenger a round, in every chain."""
    zero = np.zeros(customers.chains)
    chains, best_worth, peak = Chains(zero, zero, zero, zero), zero, zero
    champion = best = customers.scored(0.0)
    for now in range(1, rounds + 1):
        drawn = customers.generator.normal(*step, size=customers.chains)
        worth = np.minimum(chains.last + drawn, CEILING)
        if fresh:
            customers.draw()
            one_model = chains.last == best_worth
            champion = customers.scored(chains.last)
            best = champion.where(one_model, customers.scored(best_worth))
        challenger = customers.scored(worth)
        against_best = challenger.less(best)
        look = 1 if fresh else now
        promoted = np.array(
            list(
                map(
                    loop_promotes,
                    verdicts(challenger.less(champion), SETTINGS.roc_auc_margin, look),
                    verdicts(against_best, SETTINGS.total_roc_auc_margin, now),
                )
            )
        )
        leads = promoted & (against_best[0] > against_best[1])
        champion, best = challenger.where(promoted, champion), challenger.where(leads, best)
        best_worth = np.where(leads, worth, best_worth)
        last = np.where(promoted, worth, chains.last)
        peak = np.maximum(peak, last)
        chains = Chains(
            last,
            np.minimum(chains.lowest, last),
            np.maximum(chains.deepest, peak - last),
            chains.promoted + promoted,
        )
    return chains


def chain_rows(chains: int, rounds: int, seed: int, name: str) -> Iterator[str]:
    """How far champions sink with one kind of challenger: lines of a Markdown table."""
    for rows, fresh in (("the same", False), ("fresh every round", True)):
        for error, correlation in CORRELATIONS.items():
            generator = np.random.default_rng([seed, round(1e4 * error), int(fresh)])
            customers = Customers(chains, correlation, generator)
            found = run_chains(customers, STEPS[name], rounds=rounds, fresh=fresh)
            kept = int(np.sum(found.lowest >= -MOST_LOST - 1e-9))
            below = int(np.sum(found.deepest <= MOST_LOST + 1e-9))
            verdict = "met" if kept >= FEWEST_KEPT * chains else "MISSED"
            yield (
                f"| {name} | {rows} | {error:g} | {share(kept, chains)} | {share(below, chains)} | "
                f"{found.promoted.mean():.1f} | {found.last.mean():+.4f} | "
                f"≥ {FEWEST_KEPT:.0%}: {verdict} |"
            )


def looks_table(runs: int, seed: int) -> str:
    """How often one of fifty challengers worse by .010 is promoted, as Markdown."""
    lines = [
        "| standard error | any passes against the champion | and against the best so far | goal |",
        "|---|---|---|---|",
    ]
    for error, correlation in CORRELATIONS.items():
        generator = np.random.default_rng([seed, round(1e4 * error)])
        customers = Customers(runs, correlation, generator)
        champion, alone, both = customers.scored(0.0), np.zeros(runs, bool), np.zeros(runs, bool)
        for look in range(1, LOOKS + 1):
            found = customers.scored(WORSE).less(champion)
            cleared = passes(found, SETTINGS.roc_auc_margin, look)
            alone |= cleared
            both |= cleared & passes(found, SETTINGS.total_roc_auc_margin, look)
        verdict = "met" if both.sum() <= MOST_PROMOTED * runs else "MISSED"
        lines.append(
            f"| {error:g} | {share(int(alone.sum()), runs)} | {share(int(both.sum()), runs)} | "
            f"≤ {MOST_PROMOTED:.0%}: {verdict} |"
        )
    return "\n".join(lines)


def power_table(trials: int, seed: int) -> str:
    """How often a challenger passes both gates, by look, as Markdown."""
    looks = " | ".join(f"look {look}" for look in POWER_LOOKS)
    lines = [
        f"| standard error | true difference | {looks} |",
        f"{'|---' * (2 + len(POWER_LOOKS))}|",
    ]
    for error, correlation in CORRELATIONS.items():
        for gained in WORTH:
            generator = np.random.default_rng([seed, round(1e4 * error), round(1e4 * gained)])
            customers = Customers(trials, correlation, generator)
            found = customers.scored(gained).less(customers.scored(0.0))
            # The champion is the best so far: the total margin is the narrower one.
            cells = " | ".join(
                f"{passes(found, SETTINGS.total_roc_auc_margin, look).mean():.0%}"
                for look in POWER_LOOKS
            )
            lines.append(f"| {error:g} | {gained:+.3f} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    print(power_table(options.chains, options.seed), flush=True)
    print(f"\n{looks_table(options.chains, options.seed)}", flush=True)
    heads = (
        *("challengers", "gate rows", "standard error"),
        *("at most .005 below the first", "at most .005 below the best before it"),
        *("promotions a chain", "last champion", "goal"),
    )
    print(f"\n| {' | '.join(heads)} |\n{'|---' * len(heads)}|", flush=True)
    for name in STEPS:
        for line in chain_rows(options.chains, options.rounds, options.seed, name):
            print(line, flush=True)


if __name__ == "__main__":
    main()
