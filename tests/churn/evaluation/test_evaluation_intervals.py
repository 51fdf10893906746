import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import norm

from churn.evaluation import intervals
from churn.evaluation.intervals import (
    Interval,
    auc_difference_interval,
    fold_mean_auc_intervals,
    metric_intervals,
    percentile_interval,
    resampled_weights,
)
from churn.evaluation.metrics import measure
from churn.evaluation.weighted import RankedRows


def customers(rows, seed, gap=1.3, rate=0.27):
    """Normal scores, `gap` apart: the true ROC-AUC is norm.cdf(gap / sqrt 2)."""
    generator = np.random.default_rng(seed)
    target = (generator.random(rows) < rate).astype(np.int8)
    return target, generator.normal(size=rows) + gap * target


def test_every_replicate_draws_as_many_customers_as_there_are():
    weights = np.concatenate(list(resampled_weights(500, 40, seed=3)), axis=1)
    assert weights.shape == (500, 40)
    assert (weights.sum(axis=0) == 500).all()
    assert len({tuple(column) for column in weights.T}) == 40


def test_the_draws_do_not_depend_on_how_they_are_chunked(monkeypatch):
    whole = np.concatenate(list(resampled_weights(300, 50, seed=5)), axis=1)
    monkeypatch.setattr(intervals, "_WEIGHTS_BYTES", 4 * 300 * 17)
    parts = list(resampled_weights(300, 50, seed=5))
    assert [part.shape[1] for part in parts] == [17, 17, 16]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_a_long_table_is_weighted_in_bounded_memory():
    first = next(resampled_weights(2_000_000, 1000, seed=1))
    assert first.nbytes <= 16 * 4 * 2_000_000


def test_the_bootstrap_interval_holds_the_true_auc_about_19_times_in_20():
    # given 120 samples of 300 customers whose true ROC-AUC is known
    truth, held = norm.cdf(1.3 / np.sqrt(2)), 0
    for seed in range(120):
        target, score = customers(300, seed)
        ranked = {"model": [RankedRows.from_scores(target, score)]}
        held += fold_mean_auc_intervals(ranked, 300, samples=300, seed=seed)["model"].covers(truth)
    # then 95% coverage is not refuted: 104 or fewer has probability below 1 in 1,000
    assert held >= 105


def test_the_bootstrap_is_as_wide_as_delongs_variance_says():
    # given DeLong, DeLong & Clarke-Pearson 1988: the variance of the placement values
    target, score = customers(1500, 7)
    left, stayed = score[target == 1], score[target == 0]
    beats = (left[:, None] > stayed).astype(float)
    error = np.sqrt(
        beats.mean(axis=1).var(ddof=1) / len(left) + beats.mean(axis=0).var(ddof=1) / len(stayed)
    )

    bootstrap = metric_intervals(target, 1 / (1 + np.exp(-score)), samples=2000, seed=1)["roc_auc"]

    assert (bootstrap.upper - bootstrap.lower) / (2 * 1.96) == pytest.approx(error, rel=0.08)


def test_repeats_of_the_same_scores_add_no_certainty():
    # given ten repeats that scored every customer exactly alike
    target, score = customers(400, 11)
    once = RankedRows.from_scores(target, score)
    ranked = {"one repeat": [once], "ten repeats": [once] * 10}

    found = fold_mean_auc_intervals(ranked, 400, samples=500, seed=2)

    assert found["ten repeats"].lower == pytest.approx(found["one repeat"].lower)
    assert found["ten repeats"].upper == pytest.approx(found["one repeat"].upper)


def test_every_metric_lies_inside_its_own_interval():
    target, score = customers(900, 13)
    chance = 1 / (1 + np.exp(-(score - 1.4)))
    found = metric_intervals(target, chance, samples=400, seed=3)
    figures = measure(target, chance).figures
    assert set(found) == set(figures) >= {"roc_auc", "log_loss"}
    for name, figure in figures.items():
        assert found[name].covers(figure), name


def test_a_calibration_error_has_an_interval_that_reaches_down_to_what_noise_alone_shows():
    # given a perfectly calibrated model: its true error is 0, its measured one is not
    generator = np.random.default_rng(17)
    chance = generator.beta(1, 3, size=1500)
    target = (generator.random(1500) < chance).astype(np.int8)
    assert metric_intervals(target, chance, samples=500, seed=3)["ece"].lower < 0.01


def test_paired_differences_are_surer_than_two_separate_intervals():
    target, score = customers(800, 19)
    nearly = score + np.random.default_rng(0).normal(scale=0.1, size=800)
    paired = auc_difference_interval(target, score, nearly, samples=400, seed=4)
    alone = metric_intervals(target, 1 / (1 + np.exp(-score)), samples=400, seed=4)["roc_auc"]
    assert paired.upper - paired.lower < 0.2 * (alone.upper - alone.lower)
    assert auc_difference_interval(target, score, score, samples=50, seed=4).covers(0)


def test_replicates_without_both_outcomes_are_left_out():
    assert percentile_interval(np.array([np.nan, 0.7, 0.8])).lower >= 0.7
    with pytest.raises(ValueError, match="no bootstrap replicate"):
        percentile_interval(np.array([np.nan]))


def test_an_interval_that_is_upside_down_cannot_be_made():
    with pytest.raises(ValidationError, match="above its upper bound"):
        Interval(lower=0.9, upper=0.8, method="none")
