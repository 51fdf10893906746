"""Laws that the metrics keep on any rows: order, scale and naming do not matter where they must not."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from churn.evaluation import weighted
from churn.evaluation.intervals import resampled_weights
from churn.evaluation.metrics import measure
from churn.evaluation.weighted import RankedRows, ScoreGroups


@st.composite
def judged_rows(draw, ties=True):
    """A target with both outcomes, and scores on a coarse grid so that ties are common."""
    rows = draw(st.integers(4, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    target = (generator.random(rows) < draw(st.floats(0.1, 0.9))).astype(np.int8)
    target[:2] = (0, 1)
    generator.shuffle(target)
    step = draw(st.sampled_from([0.01, 0.1, 0.5])) if ties else 1e-9
    score = np.round(generator.normal(size=rows) / step) * step
    return target, score


@st.composite
def weighted_rows(draw):
    target, score = draw(judged_rows())
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = generator.poisson(1.0, size=(len(target), 3)).astype(np.float64)
    weights[np.argmax(target == 0)] += 1
    weights[np.argmax(target == 1)] += 1
    return target, score, weights


@given(weighted_rows())
def test_weighted_auc_and_average_precision_agree_with_sklearn_ties_included(rows):
    target, score, weights = rows
    areas = RankedRows.from_scores(target, score).auc(weights)
    precisions = ScoreGroups.from_scores(target, score).average_precision(weights)
    for replicate in range(weights.shape[1]):
        sample_weight = weights[:, replicate]
        assert areas[replicate] == pytest.approx(
            roc_auc_score(target, score, sample_weight=sample_weight), abs=1e-12
        )
        assert precisions[replicate] == pytest.approx(
            average_precision_score(target, score, sample_weight=sample_weight), abs=1e-12
        )


def test_a_perfect_ranking_of_many_rows_has_an_area_of_one_in_every_replicate():
    target = (np.random.default_rng(3).random(200_000) < 0.27).astype(np.int8)
    weights = next(resampled_weights(len(target), 16, seed=7))

    assert (RankedRows.from_scores(target, target.astype(float)).auc(weights) == 1).all()


def test_draws_of_very_many_rows_are_counted_in_float64(monkeypatch):
    # Given more draws than float32 can count one by one, for as many rows as that takes
    monkeypatch.setattr(weighted, "_FLOAT32_ROWS", 5)
    weights = np.array([[2.0**24], [1.0], [1.0], [1.0], [1.0]], dtype=np.float32)
    ranked = RankedRows.from_scores(np.array([0, 0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9, 0.5]))

    assert ranked.auc(weights)[0] == (2**24 + 2) / (2**24 + 3)


@given(judged_rows())
def test_measured_figures_agree_with_sklearn(rows):
    target, score = rows
    chance = expit(score)
    measured = measure(target, chance)
    assert measured.roc_auc == pytest.approx(roc_auc_score(target, chance), abs=1e-12)
    assert measured.pr_auc == pytest.approx(average_precision_score(target, chance), abs=1e-12)
    assert measured.log_loss == pytest.approx(log_loss(target, chance), abs=1e-9)
    assert measured.brier == pytest.approx(brier_score_loss(target, chance), abs=1e-12)


@given(judged_rows(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    target, score = rows
    order = list(range(len(target)))
    random.shuffle(order)
    before, after = measure(target, expit(score)), measure(target[order], expit(score[order]))
    assert after.figures.keys() == before.figures.keys() > {"roc_auc"}
    for name, figure in before.figures.items():
        assert after.figures[name] == pytest.approx(figure, abs=1e-12)


@given(judged_rows())
def test_a_rising_transform_of_the_scores_leaves_the_ranking_figures_alone(rows):
    target, score = rows
    before, after = measure(target, expit(score)), measure(target, expit(3 * score - 1))
    for name in ("roc_auc", "pr_auc", "lift_at_10"):
        assert after.figures[name] == pytest.approx(before.figures[name], abs=1e-12)


@given(judged_rows())
def test_exchanging_the_classes_and_reversing_the_scores_mirrors_the_figures(rows):
    target, score = rows
    chance = np.round(expit(score), 6)  # so that 1 - p keeps every tie
    before, after = measure(target, chance), measure(1 - target, 1 - chance)
    for name in ("roc_auc", "log_loss", "brier"):
        assert after.figures[name] == pytest.approx(before.figures[name], abs=1e-9)
    once = np.ones((len(target), 1))
    turned = RankedRows.from_scores(target, -score).auc(once)[0]
    assert turned == pytest.approx(
        1 - RankedRows.from_scores(target, score).auc(once)[0], abs=1e-12
    )


@given(judged_rows(), st.integers(2, 4))
def test_a_weight_is_worth_as_many_copies_of_the_row(rows, times):
    target, score = rows
    weights = np.ones((len(target), 1))
    weights[::2] = times
    copies = weights[:, 0].astype(int)
    again = np.repeat(target, copies), np.repeat(score, copies)
    once = np.ones((len(again[0]), 1))
    weighted, repeated = ScoreGroups.from_scores(target, score), ScoreGroups.from_scores(*again)
    area = RankedRows.from_scores(target, score).auc(weights)
    assert area == pytest.approx(RankedRows.from_scores(*again).auc(once))
    assert weighted.lift(weights) == pytest.approx(repeated.lift(once))
    assert weighted.average_precision(weights) == pytest.approx(repeated.average_precision(once))


@settings(max_examples=50)
@given(judged_rows())
def test_lift_lies_between_nobody_and_everybody_found(rows):
    target, score = rows
    found = measure(target, expit(score)).lift_at_10
    assert 0 <= found <= min(10.0, 1 / target.mean()) + 1e-9
