"""How far an estimate without labels is off, and how often the risk test alarms for nothing.

    python -m benchmarks.evidence_performance [--repetitions 100] [--years 300] [--seed 11]

Prints Markdown tables. Customers are synthetic, so that the probability of every outcome is known:
an estimate by those, the true ones, is the best that any can be. References and windows are drawn
afresh each time. `benchmarks.evidence_employment` does the same with real people.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from benchmarks.drift_population import NO_DRIFT, REFERENCE_ROWS, Populations, Rows
from churn.evaluation.delong import delong
from churn.evaluation.intervals import LEVEL
from churn.evaluation.weighted import Floats
from churn.features.encoding import take
from churn.monitoring.estimated_performance import EstimatedPerformance, estimate_performance
from churn.monitoring.expected_auc import expected_auc
from churn.monitoring.importance_weights import window_calibrator
from churn.monitoring.risk_test import squared_errors, start_risk_test
from churn.monitoring.score_calibrator import ScoreCalibrator

WINDOW = 2_000
MOST_OVER_TRUTH = 1.25
MOST_FALSE = 0.05
YEAR = 26_000
"""Outcomes: 500 a week."""
SHIFTS = {
    "none": NO_DRIFT,
    "month-to-month 55 to 85%": "contract_mix:0.3",
    "half of DSL to fibre": "fibre_rollout:0.5",
    "prices +30%": "price_rise:0.3",
    "behaviour reversed for 30%": "behaviour:0.3",
}
HARMFUL = {
    "behaviour reversed for 30%": "behaviour:0.3",
    "behaviour reversed for 60%": "behaviour:0.6",
    "behaviour reversed for all": "behaviour:1.0",
}
_MORE_WITHOUT_DRIFT = 4  # times as many windows: the goal is about them
_ESTIMATE_HEAD = (
    f"| mean absolute error of the ROC-AUC, windows of {WINDOW:,} | windows | by the true "
    f"probabilities | scores as they are | CBPE | PAPE | CBPE over true | in its {LEVEL:.0%} interval |"
)


@dataclass(frozen=True)
class Errors:
    """Absolute errors of the ROC-AUC over the windows of one shift, and how often an interval holds it."""

    true: float
    plain: float
    cbpe: float
    pape: float
    covered: float


def estimate_errors(
    populations: Populations, generator: np.random.Generator, drift: str, repetitions: int
) -> Errors:
    """Estimates so many windows."""
    bins, _ = populations.reference(generator)
    off, covered = [], []
    for _ in range(repetitions):
        known = populations.draw(REFERENCE_ROWS, generator)
        window = populations.draw(WINDOW, generator, drift)
        outcomes, score = _outcomes(known, generator), window.probability
        realised = delong(_outcomes(window, generator), score).area
        known_codes, codes = (
            bins.codes(each.columns, each.probability)[:, :-1] for each in (known, window)
        )
        cbpe = estimate_performance(
            score, calibrator=ScoreCalibrator.of(known.probability, outcomes)
        )
        calibrator = window_calibrator(known.probability, outcomes, known_codes, codes)
        estimates = (
            _expected(score, window.truth),
            _expected(score, score),
            _area(cbpe),
            _expected(score, calibrator.probability(score)),
        )
        off.append(np.abs(np.array(estimates) - realised))
        covered.append(cbpe.roc_auc is not None and cbpe.roc_auc.interval.covers(realised))
    true, plain, plain_cbpe, pape = (float(each) for each in np.mean(off, axis=0))
    return Errors(true, plain, plain_cbpe, pape, float(np.mean(covered)))


def alarms(
    populations: Populations, generator: np.random.Generator, windows: Rows, years: int
) -> list[float]:
    """The outcome at which the risk test alarmed, year by year; infinite without an alarm."""
    found = []
    for _ in range(years):
        known = populations.draw(REFERENCE_ROWS, generator)
        places = generator.integers(0, len(windows.truth), YEAR)
        year = Rows({}, windows.probability[places], windows.truth[places])
        test = start_risk_test(_losses(known, generator)).after(_losses(year, generator))
        found.append(float(test.alarmed_at or np.inf))
    return found


def estimate_table(populations: Populations, generator: np.random.Generator, count: int) -> str:
    """Errors of the ROC-AUC by shift, as Markdown."""
    lines = [
        _ESTIMATE_HEAD,
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, drift in SHIFTS.items():
        windows = count if drift else _MORE_WITHOUT_DRIFT * count
        each = estimate_errors(populations, generator, drift, windows)
        ratio = each.cbpe / each.true
        goal = f" (≤ {MOST_OVER_TRUTH}: {'met' if ratio <= MOST_OVER_TRUTH else 'MISSED'})"
        lines.append(
            f"| {name} | {windows} | {each.true:.4f} | {each.plain:.4f} | {each.cbpe:.4f} | {each.pape:.4f} | "
            f"{ratio:.2f}{'' if drift else goal} | {each.covered:.0%} |"
        )
    return "\n".join(lines)


def risk_table(populations: Populations, generator: np.random.Generator, years: int) -> str:
    """Alarms of the risk test, as Markdown."""
    lines = [
        f"| {years} years of {YEAR:,} outcomes | true squared error | alarm | after, median | goal |",
        "|---|---|---|---|---|",
    ]
    usual = populations.draw(200_000, generator)
    female = usual.columns["gender"] == 0
    longer = usual.columns["Contract"] != 0
    harmless = {
        "no drift": usual,
        "one gender alone": _those(usual, female),
        "longer contracts alone": _those(usual, longer),
        "prices +5%": populations.draw(200_000, generator, "price_rise"),
    }
    for name, rows in harmless.items():
        found = np.isfinite(alarms(populations, generator, rows, years))
        limit = binomtest(int(found.sum()), years, alternative="less").proportion_ci(0.95).high
        goal = f"≤ {MOST_FALSE:.0%}: {'met' if found.mean() <= MOST_FALSE else 'MISSED'}"
        lines.append(
            f"| harmless: {name} | {_risk(rows):.4f} | {found.mean():.1%} (≤ {limit:.1%}) | | {goal} |"
        )
    for name, drift in HARMFUL.items():
        rows = populations.draw(200_000, generator, drift)
        when = np.array(alarms(populations, generator, rows, years))
        lines.append(
            f"| {name} | {_risk(rows):.4f} | {np.isfinite(when).mean():.1%} | {np.median(when):,.0f} | |"
        )
    return "\n".join(lines)


def _those(rows: Rows, members: np.ndarray) -> Rows:
    return Rows(take(rows.columns, members), rows.probability[members], rows.truth[members])


def _outcomes(rows: Rows, generator: np.random.Generator) -> np.ndarray:
    return (generator.random(len(rows.truth)) < rows.truth).astype(np.int8)


def _losses(rows: Rows, generator: np.random.Generator) -> Floats:
    return squared_errors(_outcomes(rows, generator), rows.probability)


def _risk(rows: Rows) -> float:
    chance, score = rows.truth, rows.probability
    return float((chance * (1 - score) ** 2 + (1 - chance) * score**2).mean())


def _expected(score: Floats, chance: Floats) -> float:
    found = expected_auc(score, chance)
    return found[0] if found else np.nan


def _area(estimate: EstimatedPerformance) -> float:
    return estimate.roc_auc.value if estimate.roc_auc else np.nan


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=100, help="windows a shift")
    parser.add_argument("--years", type=int, default=300, help="of the risk test, a drift")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    populations = Populations(200_000, options.seed)
    print(f"{risk_table(populations, generator, options.years)}\n", flush=True)
    print(estimate_table(populations, generator, options.repetitions))


if __name__ == "__main__":
    main()
