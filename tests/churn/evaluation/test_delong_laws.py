"""Laws that a comparison of two ROC areas keeps on any rows, ties included."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from churn.evaluation.delong import delong, paired_delong


@st.composite
def scored_twice(draw):
    """A target with two of each outcome, and two related scores on a grid so that ties are common."""
    rows = draw(st.integers(4, 80))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    target = (generator.random(rows) < draw(st.floats(0.1, 0.9))).astype(np.int8)
    target[:4] = (0, 1, 0, 1)
    generator.shuffle(target)
    step = draw(st.sampled_from([0.01, 0.25, 1.0]))
    weight = draw(st.floats(0, 1))
    first, other = generator.normal(size=(2, rows)) + 0.7 * target
    second = weight * first + (1 - weight) * other
    return target, np.round(first / step), np.round(second / step)


@given(scored_twice())
def test_exchanging_the_two_flips_the_sign_and_nothing_else(rows):
    target, score, reference = rows
    there, back = paired_delong(target, score, reference), paired_delong(target, reference, score)
    assert back.difference == -there.difference
    assert back.difference_variance == pytest.approx(there.difference_variance, abs=1e-15)
    assert back.covariance == pytest.approx(there.covariance, abs=1e-15)
    assert back.lower_bound() == pytest.approx(-there.upper_bound(), abs=1e-12)


@given(scored_twice())
def test_only_the_ranking_counts(rows):
    target, score, reference = rows
    before = paired_delong(target, score, reference)
    after = paired_delong(target, np.exp(score / 300), reference**3 + 7)
    assert after == before


@given(scored_twice(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    target, score, reference = rows
    order = list(range(len(target)))
    random.shuffle(order)
    before = paired_delong(target, score, reference)
    after = paired_delong(target[order], score[order], reference[order])
    for name, figure in before.model_dump().items():
        assert getattr(after, name) == pytest.approx(figure, abs=1e-12)


@given(scored_twice())
def test_a_model_does_not_differ_from_itself(rows):
    target, score, _ = rows
    found = paired_delong(target, score, 2 * score + 1)
    assert (found.difference, found.difference_variance) == (0, 0)
    assert found.lower_bound() == found.upper_bound() == 0


@given(scored_twice())
def test_the_variance_of_the_difference_follows_from_the_covariance(rows):
    found = paired_delong(*rows)
    expected = found.variance + found.reference_variance - 2 * found.covariance
    assert found.difference_variance == pytest.approx(expected, abs=1e-12)
    assert found.covariance**2 <= found.variance * found.reference_variance + 1e-12


@given(scored_twice())
def test_reversing_scores_and_outcomes_changes_nothing(rows):
    target, score, _ = rows
    before, after = delong(target, score), delong(1 - target, -score)
    assert after.area == pytest.approx(before.area, abs=1e-12)
    assert after.variance == pytest.approx(before.variance, abs=1e-12)
