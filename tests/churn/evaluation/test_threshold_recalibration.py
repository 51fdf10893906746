import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from churn.evaluation.recalibration import Recalibration, fitted_map, recalibrate
from churn.models.recalibrated import LogitMap
from churn.retention.value_settings import ThresholdSettings

QUICK = ThresholdSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def customers():
    generator = np.random.default_rng(31)
    score = generator.normal(-1.2, 1.6, size=4000)
    return (generator.random(4000) < expit(score)).astype(np.int8), score


def test_calibrated_scores_are_left_as_they_are(customers):
    found = recalibrate(*customers, QUICK)

    assert found.applied == "none"
    assert found.map.identity
    assert found.map.apply(customers[1]) is customers[1]
    assert found.sentence.startswith("The probabilities are calibrated already")
    assert "no correction is applied" in found.sentence


def test_a_shift_is_found_and_taken_back(customers):
    target, score = customers

    found = recalibrate(target, score + 1, QUICK)

    assert found.applied == "shift"
    assert expit(found.map.apply(score + 1)).mean() == pytest.approx(target.mean(), abs=1e-6)
    assert found.trial(found.applied).reliability.within_noise
    assert not found.trial("none").reliability.within_noise
    assert "not calibrated" in found.sentence


def test_an_overconfident_score_needs_a_line(customers):
    target, score = customers

    found = recalibrate(target, 2 * score + 0.5, QUICK)

    assert found.applied == "line"
    assert found.map.slope == pytest.approx(0.5, abs=0.05)
    assert found.trial("line").gain > max(0.0, found.trial("shift").gain)


def test_the_line_is_the_maximum_likelihood_one(customers):
    target, score = customers
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(score[:, None], target)

    found = fitted_map(target, score, "line")

    assert found.slope == pytest.approx(reference.coef_[0, 0], abs=1e-6)
    assert found.intercept == pytest.approx(reference.intercept_[0], abs=1e-6)


def test_isotonic_is_compared_and_never_applied(customers):
    # Given scores bent in a way that only isotonic can straighten
    target, score = customers
    bent = np.where(score > -1.2, score + 3, score - 3)

    found = recalibrate(target, bent, QUICK)

    assert found.trial("isotonic").log_loss < found.trial("line").log_loss
    assert found.applied == "line"


def test_nothing_is_applied_where_the_settings_forbid_it(customers):
    target, score = customers
    settings = ThresholdSettings(bootstrap_samples=200, recalibration="none")

    found = recalibrate(target, score + 1, settings)

    assert found.applied == "none"
    assert found.trial("shift").helps


def test_no_row_helps_to_correct_itself():
    # Given outcomes that have nothing to do with the score
    generator = np.random.default_rng(1)
    target = (generator.random(300) < 0.3).astype(np.int8)
    score = np.full(300, np.log(0.3 / 0.7)) + generator.normal(scale=1e-3, size=300)

    # When isotonic, which could learn every row by heart, is judged on rows held out
    found = recalibrate(target, score, QUICK)

    # Then it does worse than no correction
    assert found.trial("isotonic").gain < 0


def test_the_ranking_is_never_reversed(customers):
    target, score = customers

    assert fitted_map(target, -score, "line").slope > 0
    with pytest.raises(ValidationError):
        LogitMap(slope=-1.0)


def test_reasons_still_sum_after_a_correction():
    map_ = LogitMap(slope=0.7, intercept=-0.4)
    base, parts = -1.1, np.array([[0.5, -0.2], [1.5, 0.3]])

    corrected = map_.apply(base + parts.sum(axis=1))

    again = map_.slope * base + map_.intercept + (map_.slope * parts).sum(axis=1)
    assert corrected == pytest.approx(again, abs=1e-12)


def test_the_answer_survives_json(customers):
    found = recalibrate(customers[0], customers[1] + 1, QUICK)

    assert Recalibration.model_validate_json(found.model_dump_json()) == found


def test_a_handful_of_rows_is_enough_to_be_answered():
    found = recalibrate(np.array([0, 1, 0], dtype=np.int8), np.array([-1.0, 0.5, 0.0]), QUICK)

    assert found.applied == "none"
