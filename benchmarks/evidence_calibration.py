"""How often the interval of the calibration error holds the truth, and what the gate makes of it.

    python -m benchmarks.evidence_calibration [--runs 2000] [--rows 1374] [--seed 11]

Prints a Markdown table. In every run predictions are drawn, and outcomes from probabilities that
differ from them in a known way, so that the true error is known.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit

from churn.evaluation.calibration import EceBins
from churn.evaluation.calibration_interval import calibration_error_bounds
from churn.evaluation.disparities import wilson_interval
from churn.evaluation.intervals import LEVEL
from churn.evaluation.plan import Floors
from churn.evaluation.weighted import Floats

TRUTHS: dict[str, Callable[[Floats], Floats]] = {
    "calibrated": lambda chance: chance,
    "log-odds +0.2": lambda chance: expit(logit(chance) + 0.2),
    "log-odds +0.4": lambda chance: expit(logit(chance) + 0.4),
    "log-odds -0.4": lambda chance: expit(logit(chance) - 0.4),
    "log-odds +0.8": lambda chance: expit(logit(chance) + 0.8),
    "slope 0.7": lambda chance: expit(0.7 * logit(chance)),
    "slope 0.85": lambda chance: expit(0.85 * logit(chance)),
    "slope 1.4": lambda chance: expit(1.4 * logit(chance)),
    "slope 2": lambda chance: expit(2 * logit(chance)),
    "waves of 0.04": lambda chance: np.clip(chance + 0.04 * np.sin(25 * chance), 0.001, 0.999),
    "0.15 lower above 0.55": lambda chance: np.where(chance > 0.55, chance - 0.15, chance),  # noqa: PLR2004
}
"""The true probability of a customer whose prediction is given."""


def simulate(name: str, *, runs: int, rows: int, seed: int) -> str:
    """Measures one kind of miscalibration; returns a row of the table."""
    generator = np.random.default_rng([seed, *name.encode()])
    ceiling = Floors().ece_upper
    truths, widths, covered, passed, failed = [], [], 0, 0, 0
    for run in range(runs):
        chance = expit(generator.normal(-1.6, 1.5, rows))
        real = TRUTHS[name](chance)
        bins = EceBins.from_probability(chance)
        true = float(bins.error(real - chance, np.ones((rows, 1)))[0])
        left = (generator.random(rows) < real).astype(np.int8)
        lower, upper = calibration_error_bounds(left, chance, level=LEVEL, seed=run)
        covered += lower <= true <= upper
        passed += upper <= ceiling
        failed += lower > ceiling
        truths.append(true)
        widths.append(upper - lower)
    share = f"{covered / runs:.1%} ({wilson_interval(covered, runs).span('.1%')})"
    return (
        f"| {name} | {np.mean(truths):.3f} | {share} | {np.mean(widths):.3f} | {passed / runs:.1%} | "
        f"{(runs - passed - failed) / runs:.1%} | {failed / runs:.1%} |"
    )


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1374)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    print(
        "| true probabilities | true error | 95% interval holds it | width | pass | held | fail |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in TRUTHS:
        print(simulate(name, runs=options.runs, rows=options.rows, seed=options.seed), flush=True)


if __name__ == "__main__":
    main()
