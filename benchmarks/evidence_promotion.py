"""How often the ranking gate errs, on challengers whose true quality is known.

    python -m benchmarks.evidence_promotion [--trials 400] [--rows 1374] [--seed 11]

Prints a Markdown table. In every trial both models' scores are drawn from normal distributions (the
binormal model), so that each true ROC-AUC is known; within an outcome the two are correlated as two
models of the same customers are. The gate is the shipped one, with the shipped margin.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.evaluation.delong import paired_delong
from churn.evaluation.disparities import wilson_interval
from churn.evaluation.plan import PromotionSettings
from churn.promotion.comparison_gates import ranking_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.decision import GateVerdict

CHAMPION = 0.85
WORTH = (-0.016, -0.010, -0.005, 0.0, 0.005, 0.010)
"""True ROC-AUC of the challenger less the champion's."""
CORRELATIONS = (0.96, 0.90)
"""Within an outcome; 0.96 is the shipped blend with plain logistic regression on the gate rows."""

WORSE, MOST_CLEARED = -0.016, 0.02
MOST_SUPERIOR = 0.07


@dataclass
class Row:
    """Verdicts on the challengers of one kind.

    Attributes:
        correlation: correlation of the two models' scores within an outcome.
        worth: true ROC-AUC gained over the champion.
        trials: challengers judged.
        verdicts: verdicts of the ranking gate.
        superior: how often the two-sided 95% interval lay above 0.
    """

    correlation: float
    worth: float
    trials: int
    verdicts: Counter[GateVerdict] = field(default_factory=Counter)
    superior: int = 0

    @property
    def goal(self) -> str:
        """The goal that this kind of challenger is held to, and whether it is met."""
        if self.worth == WORSE:
            reached = self.verdicts["pass"] / self.trials
            return f"cleared ≤ {MOST_CLEARED:.0%}: {_verdict(reached, MOST_CLEARED)}"
        if self.worth == 0:
            reached = self.superior / self.trials
            return f"superior ≤ {MOST_SUPERIOR:.0%}: {_verdict(reached, MOST_SUPERIOR)}"
        return ""


def _verdict(reached: float, goal: float) -> str:
    return "met" if reached <= goal else "MISSED"


def simulate(
    worth: float,
    correlation: float,
    contract: DataContract,
    *,
    trials: int,
    rows: int,
    rate: float,
    seed: int,
) -> Row:
    """Judges challengers whose true ROC-AUC is known."""
    settings = PromotionSettings()
    generator = np.random.default_rng([seed, round(1000 * correlation), round(1e6 * (worth + 1))])
    target = (np.arange(rows) < round(rate * rows)).astype(np.int8)
    # Two normal distributions of spread 1, d apart, have the area Phi(d / sqrt 2).
    gap, champions_gap = (np.sqrt(2) * norm.ppf(CHAMPION + gained) for gained in (worth, 0))
    row = Row(correlation, worth, trials)
    judged = GateRows(columns={"none": target}, target=target, contract=contract)
    for _ in range(trials):
        shared, one, other = generator.normal(size=(3, rows))
        common, own = np.sqrt(correlation) * shared, np.sqrt(1 - correlation)
        challenger = Contender("challenger", common + own * one + gap * target)
        champion = Contender("champion", common + own * other + champions_gap * target)
        row.verdicts[ranking_gate(challenger, champion, judged, settings).verdict] += 1
        both_sides = paired_delong(target, challenger.logit, champion.logit).interval()
        row.superior += both_sides.lower > 0
    return row


def table(rows: list[Row]) -> str:
    """What was found, as Markdown."""
    lines = [
        "| correlation | true difference | cleared | held | rejected | called superior | goal |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        counts = (
            row.verdicts["pass"],
            row.verdicts["insufficient evidence"],
            row.verdicts["fail"],
            row.superior,
        )
        shares = " | ".join(share(count, row.trials) for count in counts)
        lines.append(f"| {row.correlation:.2f} | {row.worth:+.3f} | {shares} | {row.goal} |")
    return "\n".join(lines)


def share(count: int, trials: int) -> str:
    """A share with the 95% interval of the simulation."""
    interval = wilson_interval(count, trials)
    return f"{count / trials:.1%} ({interval.span('.1%')})"


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--rows", type=int, default=1374)
    parser.add_argument("--rate", type=float, default=0.265, help="share of customers who left")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    rows = [
        simulate(
            worth,
            correlation,
            contract,
            trials=options.trials,
            rows=options.rows,
            rate=options.rate,
            seed=options.seed,
        )
        for correlation in CORRELATIONS
        for worth in WORTH
    ]
    print(table(rows))


if __name__ == "__main__":
    main()
