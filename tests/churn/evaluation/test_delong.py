"""DeLong's test against a textbook implementation, other libraries and published figures."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from sklearn.metrics import roc_auc_score

from churn.errors import InputError
from churn.evaluation.delong import delong, paired_delong

# The ovarian cancer data of DeLong, DeLong & Clarke-Pearson (1988): the 43 of their 49 patients
# with all three tests, as the SAS/STAT User's Guide reprints them ("Comparing Receiver Operating
# Characteristic Curves", PROC LOGISTIC). Albumin, total protein, K-G score, outcome.
OVARIAN = """
3.0 5.8 10 0; 3.2 6.3 5 1; 3.9 6.8 3 1; 2.8 4.8 6 0; 3.2 5.8 3 1; 0.9 4.0 5 0; 2.5 5.7 8 0;
1.6 5.6 5 1; 3.8 5.7 5 1; 3.7 6.7 6 1; 3.2 5.4 4 1; 3.8 6.6 6 1; 4.1 6.6 5 1; 3.6 5.7 5 1;
4.3 7.0 4 1; 3.6 6.7 4 0; 2.3 4.4 6 1; 4.2 7.6 4 0; 4.0 6.6 6 0; 3.5 5.8 6 1; 3.8 6.8 7 1;
3.0 4.7 8 0; 4.5 7.4 5 1; 3.7 7.4 5 1; 3.1 6.6 6 1; 4.1 8.2 6 1; 4.3 7.0 5 1; 4.3 6.5 4 1;
3.2 5.1 5 1; 2.6 4.7 6 1; 3.3 6.8 6 0; 1.7 4.0 7 0; 3.7 6.1 5 1; 3.3 6.3 7 1; 4.2 7.7 6 1;
3.5 6.2 5 1; 2.9 5.7 9 0; 2.1 4.8 7 1; 2.8 6.2 8 0; 4.0 7.0 7 1; 3.3 5.7 6 1; 3.7 6.9 5 1;
3.6 6.6 5 1
"""


@pytest.fixture(scope="module")
def ovarian():
    rows = np.array([row.split() for row in OVARIAN.split(";")], dtype=float)
    albumin, protein, score, outcome = rows.T
    return {"albumin": albumin, "protein": protein, "k-g": 10 - score}, outcome.astype(int)


def textbook(target, *scores):
    """Areas [k] and covariance [k, k] from every pair of customers, O(n * m), as in the paper."""
    left, stayed = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    wins = np.empty((len(scores), len(left), len(stayed)))
    for k, score in enumerate(scores):
        for i, one in enumerate(left):
            for j, other in enumerate(stayed):
                wins[k, i, j] = (score[one] > score[other]) + 0.5 * (score[one] == score[other])
    areas = wins.mean(axis=(1, 2))
    v10, v01 = wins.mean(axis=2) - areas[:, None], wins.mean(axis=1) - areas[:, None]
    s10, s01 = v10 @ v10.T / (len(left) - 1), v01 @ v01.T / (len(stayed) - 1)
    return areas, s10 / len(left) + s01 / len(stayed)


def customers(rows, seed, *, step=None, gap=1.2):
    generator = np.random.default_rng(seed)
    target = (generator.random(rows) < 0.3).astype(np.int8)
    target[:4] = (0, 1, 0, 1)
    shared = generator.normal(size=rows)
    score = 0.8 * shared + 0.6 * generator.normal(size=rows) + gap * target
    reference = 0.8 * shared + 0.6 * generator.normal(size=rows) + 0.9 * gap * target
    if step:
        score, reference = np.round(score / step), np.round(reference / step)
    return target, score, reference


@pytest.mark.parametrize("step", [None, 0.5, 2.0], ids=["no ties", "ties", "mostly ties"])
@pytest.mark.parametrize("seed", range(4))
def test_midranks_give_what_counting_every_pair_gives(seed, step):
    target, score, reference = customers(90, seed, step=step)
    areas, covariance = textbook(target, score, reference)

    found = paired_delong(target, score, reference)

    assert [found.area, found.reference_area] == pytest.approx(areas, abs=1e-10)
    assert found.variance == pytest.approx(covariance[0, 0], abs=1e-10)
    assert found.reference_variance == pytest.approx(covariance[1, 1], abs=1e-10)
    assert found.covariance == pytest.approx(covariance[0, 1], abs=1e-10)
    contrast = np.array([1, -1])
    assert found.difference_variance == pytest.approx(contrast @ covariance @ contrast, abs=1e-10)


@pytest.mark.parametrize("step", [None, 0.5])
def test_the_areas_are_sklearns_and_scipys(step):
    target, score, reference = customers(700, 11, step=step)
    found = paired_delong(target, score, reference)
    assert found.area == pytest.approx(roc_auc_score(target, score), abs=1e-12)
    assert found.reference_area == pytest.approx(roc_auc_score(target, reference), abs=1e-12)
    statistic = mannwhitneyu(score[target == 1], score[target == 0]).statistic
    pairs = target.sum() * (len(target) - target.sum())
    assert found.area == pytest.approx(statistic / pairs, abs=1e-12)
    assert delong(target, score).variance == pytest.approx(found.variance, abs=1e-15)


@pytest.mark.parametrize(
    ("test", "area", "error"),
    [("albumin", 0.7366, 0.0927), ("k-g", 0.7258, 0.1028), ("protein", 0.6478, 0.1000)],
)
def test_the_published_areas_of_the_ovarian_cancer_data(ovarian, test, area, error):
    scores, outcome = ovarian
    found = delong(outcome, scores[test])
    assert round(found.area, 4) == area
    assert round(found.variance**0.5, 4) == error


@pytest.mark.parametrize(
    ("test", "difference", "error", "lower", "upper", "p_value"),
    [
        ("albumin", 0.0108, 0.0953, -0.1761, 0.1976, 0.9102),
        ("protein", -0.0780, 0.1046, -0.2830, 0.1271, 0.4561),
    ],
)
def test_the_published_comparisons_with_the_k_g_score(
    ovarian, test, difference, error, lower, upper, p_value
):
    scores, outcome = ovarian
    found = paired_delong(outcome, scores[test], scores["k-g"])
    interval = found.interval()
    figures = (found.difference, found.standard_error, interval.lower, interval.upper)
    assert [round(each, 4) for each in figures] == [difference, error, lower, upper]
    chance = 2 * norm.sf(abs(found.difference) / found.standard_error)
    assert round(chance, 4) == p_value


def test_the_published_rating_data_of_hanley_and_mcneil():
    """58 normal and 51 abnormal images (1982, Radiology 143:29-36): area 0.893, error 0.032.

    Their error assumes exponential scores; DeLong's assumes nothing and comes to 0.0307.
    """
    outcome = np.repeat([0, 1], [58, 51])
    rating = np.r_[np.repeat(range(5), [33, 6, 6, 11, 2]), np.repeat(range(5), [3, 2, 2, 11, 33])]
    found = delong(outcome, rating)
    assert round(found.area, 3) == 0.893
    assert found.variance**0.5 == pytest.approx(0.032, abs=0.002)


def test_one_and_two_sided_bounds_agree():
    found = paired_delong(*customers(400, 5))
    both = found.interval(level=0.90)
    assert found.lower_bound(0.95) == pytest.approx(both.lower, abs=1e-15)
    assert found.upper_bound(0.95) == pytest.approx(both.upper, abs=1e-15)
    assert found.interval().lower < both.lower < found.difference < both.upper


def test_an_area_has_an_interval_within_zero_and_one():
    target = np.repeat([0, 1], [30, 30])
    almost = np.r_[np.arange(30), np.arange(29) + 100, [15.5]]
    interval = delong(target, almost).interval()
    assert interval.lower < delong(target, almost).area < interval.upper < 1
    perfect = delong(target, np.arange(60))
    assert (perfect.area, perfect.variance) == (1, 0)
    assert (perfect.interval().lower, perfect.interval().upper) == (1, 1)


def test_opposite_certainties_differ_beyond_doubt():
    target = np.repeat([0, 1], [5, 5])
    found = paired_delong(target, target, 1 - target)
    assert (found.difference, found.difference_variance) == (1, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_refused(bad):
    target, score, reference = customers(20, 1)
    reference[2] = bad
    with pytest.raises(InputError, match=r"score of row 3 is .*(nan|inf), not a finite number"):
        paired_delong(target, score, reference)


@pytest.mark.parametrize("left", [0, 1, 9, 10])
def test_too_few_of_an_outcome_are_refused(left):
    target = np.repeat([1, 0], [left, 10 - left])
    with pytest.raises(InputError, match=rf"{left} left and {10 - left} stayed.*need 2 of each"):
        delong(target, np.arange(10))


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not match"):
        paired_delong([0, 1, 0, 1], [1, 2, 3, 4], [1, 2, 3])
    with pytest.raises(ValueError, match="neither 0"):
        delong([0, 1, 2, 1], [1, 2, 3, 4])


def test_a_million_customers_take_seconds_not_hours():
    # given what every-pair counting could not hold: 2e11 pairs
    target, score, reference = customers(1_000_000, 3)
    found = paired_delong(target, score, reference)
    assert found.standard_error < 0.001
