import pytest

from churn.evaluation.comparison import compare_folds, corrected_interval


def test_the_corrected_interval_agrees_with_one_worked_by_hand():
    # given five folds with these differences: mean 0.02, variance 0.0010 / 4 = 0.00025
    differences = [0.00, 0.01, 0.02, 0.03, 0.04]
    # then (1/5 + 1/4) * 0.00025 = 0.0001125, whose root is 0.0106066; t(0.975, 4 df) = 2.7764451
    interval = corrected_interval(differences, test_share=1 / 4)
    assert interval.lower == pytest.approx(0.02 - 2.7764451 * 0.01060660, abs=1e-8)
    assert interval.upper == pytest.approx(0.02 + 2.7764451 * 0.01060660, abs=1e-8)


def test_more_repeats_cannot_shrink_the_interval_below_what_the_overlap_allows():
    # given the same spread over ever more repeats
    few, many = [0.0, 0.02] * 5, [0.0, 0.02] * 500
    floor = 1.96 * 0.01 * (1 / 4) ** 0.5
    wide = corrected_interval(few, test_share=1 / 4)
    narrow = corrected_interval(many, test_share=1 / 4)
    assert floor <= (narrow.upper - narrow.lower) / 2 < (wide.upper - wide.lower) / 2


def test_a_steady_lead_is_significant_and_a_wavering_one_is_not():
    steady = compare_folds("gbm", [0.86, 0.87, 0.85], "logistic", [0.84, 0.851, 0.83], folds=3)
    wavering = compare_folds("gbm", [0.86, 0.83, 0.85], "logistic", [0.84, 0.85, 0.83], folds=3)
    assert not steady.covers_zero
    assert steady.sentence.startswith("gbm beats logistic (+0.0197")
    assert wavering.covers_zero
    assert "cannot be distinguished" in wavering.sentence


def test_unequal_numbers_of_splits_are_refused():
    with pytest.raises(ValueError, match="zip"):
        compare_folds("a", [0.8, 0.8], "b", [0.7], folds=2)
    with pytest.raises(ValueError, match="at least two splits"):
        corrected_interval([0.1], test_share=0.25)
