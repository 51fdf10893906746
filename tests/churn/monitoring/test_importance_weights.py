"""Known customers weighted to look like a window: equal without a shift, right under one."""

from __future__ import annotations

import numpy as np
import pytest

from churn.monitoring.estimated_performance import estimate_performance
from churn.monitoring.importance_weights import importance_weights, window_calibrator
from churn.monitoring.score_calibrator import ScoreCalibrator


def customers(rows: int, share: float, seed: int):
    """Codes of two columns, a score that sees only one of them, and outcomes that follow both."""
    generator = np.random.default_rng(seed)
    codes = np.column_stack([generator.integers(0, 10, rows), generator.random(rows) < share])
    score = 0.1 + 0.05 * codes[:, 0]
    chance = np.clip(score + np.where(codes[:, 1], 0.25, -0.05), 0, 1)
    target = (generator.random(rows) < chance).astype(np.int8)
    return codes.astype(np.uint8), score, target


def test_without_a_shift_all_count_about_alike():
    known, *_ = customers(4_000, 0.3, 1)
    window, *_ = customers(2_000, 0.3, 2)

    weights = importance_weights(known, window)

    assert weights.mean() == pytest.approx(1)
    assert weights.std() < 0.2
    assert (importance_weights(known, window) == weights).all()


def test_customers_that_the_window_has_more_of_count_more():
    known, *_ = customers(4_000, 0.2, 1)
    window, *_ = customers(2_000, 0.8, 2)

    weights = importance_weights(known, window)

    assert weights[known[:, 1] == 1].mean() == pytest.approx(4, rel=0.15)
    assert weights[known[:, 1] == 0].mean() == pytest.approx(0.25, abs=0.1)


def test_the_estimate_follows_a_shift_that_the_score_does_not_see():
    known, score, target = customers(6_000, 0.2, 1)
    window, seen, left = customers(4_000, 0.8, 2)

    plain = estimate_performance(seen, calibrator=ScoreCalibrator.of(score, target))
    weighted = estimate_performance(
        seen, calibrator=window_calibrator(score, target, known, window), method="PAPE"
    )

    assert not plain.churn_rate.interval.covers(left.mean())
    off = abs(weighted.churn_rate.value - left.mean())
    assert off < abs(plain.churn_rate.value - left.mean()) / 3
    assert 50 < weighted.known_rows < 6_000


def test_a_window_unlike_any_known_customer_leaves_bounded_weights():
    known, *_ = customers(4_000, 0.0, 1)
    known[:5, 1] = 1
    window, *_ = customers(1_000, 1.0, 2)

    weights = importance_weights(known, window)

    assert np.isfinite(weights).all()
    assert weights.max() < 4_000
