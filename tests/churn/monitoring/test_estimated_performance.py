"""Figures of a window without outcomes: what is estimated, how sure it is, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churn.errors import InputError
from churn.monitoring.estimated_performance import ASSUMES, Campaign, estimate_performance
from churn.monitoring.expected_auc import expected_auc
from churn.monitoring.score_calibrator import ScoreCalibrator
from churn.retention.profit import campaign_profit
from churn.retention.value_settings import ValueSettings

CAR_LOAN = Path(__file__).with_name("synthetic_car_loan_counts.csv")
"""How many rows of nannyml's table have each score: all that an estimate depends on."""
CBPE = (
    0.970744, 0.971011, 0.971407, 0.971091, 0.971123, 0.961090, 0.961825, 0.961073, 0.962533, 0.961316,
)  # fmt: skip


def scores(rows: int, seed: int = 1):
    return np.random.default_rng(seed).beta(1.2, 3.0, rows)


def outcomes(chance, seed: int = 2):
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(np.int8)


def test_the_roc_auc_is_that_of_the_reference_implementation():
    counts = pd.read_csv(CAR_LOAN)
    score = counts["score"].to_numpy()
    known = np.concatenate([score.repeat(counts["not_repaid"]), score.repeat(counts["repaid"])])
    repaid = np.arange(len(known)) >= counts["not_repaid"].sum()
    calibrator = ScoreCalibrator.of(known, repaid.astype(np.int8))

    found = [
        estimate_performance(score.repeat(counts[f"chunk_{number}"]), calibrator=calibrator)
        for number in range(1, 11)
    ]

    assert [each.rows for each in found] == [5_000] * 10
    assert [round(each.roc_auc.value, 6) for each in found] == list(CBPE)
    assert all(each.roc_auc.interval.covers(each.roc_auc.value) for each in found)


def test_the_expected_area_counts_a_tie_half():
    area, variance = expected_auc(np.array([0.1, 0.5, 0.5, 0.9]), np.array([0.0, 0.0, 1.0, 1.0]))

    assert area == pytest.approx(3.5 / 4)
    assert variance == 0  # outcomes that are sure


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_no_area_where_everybody_does_the_same(chance):
    assert expected_auc(np.linspace(0, 1, 60), np.full(60, chance)) is None

    found = estimate_performance(np.full(60, chance))
    assert found.roc_auc is None
    assert found.churn_rate.value == chance


def test_the_realised_figures_lie_in_the_intervals_as_often_as_they_say():
    value, inside = ValueSettings(), []
    for seed in range(200):
        score = scores(500, seed)
        target, clv = outcomes(score, 1000 + seed), np.full(500, 200.0)
        found = estimate_performance(score, campaign=Campaign(0.3, clv, value))
        area = expected_auc(score, target.astype(np.float64))[0]
        profit = campaign_profit(target, score, 0.3, clv, value).mean()
        inside.append(
            (
                found.roc_auc.interval.covers(area),
                found.churn_rate.interval.covers(target.mean()),
                found.profit.interval.covers(profit),
            )
        )

    assert (np.mean(inside, axis=0) > 0.90).all()
    assert (np.mean(inside, axis=0) < 0.99).all()


def test_few_known_customers_widen_the_interval():
    score, known = scores(5_000), scores(4_000, 5)
    target = outcomes(known)

    def width(rows: int) -> float:
        calibrator = ScoreCalibrator.of(known[:rows], target[:rows])
        interval = estimate_performance(score, calibrator=calibrator).churn_rate.interval
        return interval.upper - interval.lower

    assert width(200) > 2 * width(4_000)


def test_a_score_that_says_too_much_is_corrected():
    truth = scores(8_000)
    target = outcomes(truth)
    shown = np.minimum(1.0, 2 * truth)
    calibrator = ScoreCalibrator.of(shown[:4_000], target[:4_000])

    plain = estimate_performance(shown[4_000:])
    corrected = estimate_performance(shown[4_000:], calibrator=calibrator)

    assert corrected.churn_rate.interval.covers(target[4_000:].mean())
    assert not plain.churn_rate.interval.covers(target[4_000:].mean())


def test_every_estimate_says_what_it_cannot_see():
    found = estimate_performance(scores(50))

    assert found.finding == "estimated"
    assert found.assumes == ASSUMES
    assert ASSUMES in found.reason
    assert (found.profit, found.most_profit) == (None, None)


@pytest.mark.parametrize("rows", [0, 1, 49])
def test_too_few_rows_give_no_estimate_and_a_reason(rows):
    found = estimate_performance(scores(rows))

    assert found.finding == "cannot tell"
    assert f"{rows} rows" in found.reason
    assert (found.roc_auc, found.churn_rate) == (None, None)


def test_known_customers_that_hardly_count_are_too_few():
    known = scores(1_000)
    weight = np.where(np.arange(1_000) < 40, 1.0, 0.0)
    target = (np.arange(1_000) % 2).astype(np.int8)

    found = estimate_performance(
        scores(500), calibrator=ScoreCalibrator.of(known, target, weight), method="PAPE"
    )

    assert found.finding == "cannot tell"
    assert "count as 40" in found.reason


@pytest.mark.parametrize("bad", [np.nan, -0.01, 1.01])
def test_a_score_that_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        estimate_performance(np.append(scores(60), bad))


@pytest.mark.parametrize("weight", [[1.0], [-1.0, 1.0], [np.nan, 1.0]])
def test_weights_that_do_not_fit_are_refused(weight):
    with pytest.raises(ValueError, match="weights"):
        ScoreCalibrator.of([0.2, 0.8], [0, 1], weight)


def test_known_customers_need_both_outcomes():
    with pytest.raises(InputError, match="both outcomes"):
        ScoreCalibrator.of([0.2, 0.8], [0, 0])
