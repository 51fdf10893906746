"""What a challenger is measured by: predictions in pairs, outcomes, and the scores alone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from churn.ledger.prediction import TreatmentRecord
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger
from churn.ledger.settled_outcomes import OutcomeTiming
from churn.retraining.evidence import ProbationFacts
from churn.retraining.measured import compare_beside, measure_probation
from churn.settings.retraining_rules import ProbationRules
from tests.churn.retraining.loops import MODEL, NOW

SINCE = NOW - timedelta(days=40)


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def prediction(number, role="production", version="1", probability=0.25, **changes):
    given = {
        "predicted_at": SINCE + timedelta(minutes=number),
        "prediction_id": f"p-{number}",
        "customer": None,
        "version": version,
        "role": role,
        "source": "api",
        "probability": probability,
        "decision": False,
        "input_hash": "",
        "model": MODEL,
    }
    return Prediction(**given | changes)


def kept(address, *predictions):
    with PredictionLedger(address) as ledger:
        ledger.record(sorted(predictions, key=lambda each: each.predicted_at))


def compared(address, role):
    return compare_beside(address, model=MODEL, version="2", role=role, since=SINCE, now=NOW)


def test_a_shadow_is_compared_with_the_answers_beside_it(address):
    shadow = [prediction(n, "shadow", "2", 0.5) for n in range(5, 10)]
    kept(address, *[prediction(n, probability=0.1 * (n >= 5)) for n in range(10)], *shadow)

    found = compared(address, "shadow")

    assert (found.predictions, found.missing, found.days) == (5, 0, 40)
    assert (found.mean, found.champion_mean) == (0.5, pytest.approx(0.1))


def test_answers_without_the_shadow_are_missing_unless_a_batch_gave_them(address):
    kept(
        address,
        prediction(0),
        *[prediction(1, role, version) for role, version in (("production", "1"), ("shadow", "2"))],
        prediction(2),
        prediction(3, source="batch"),
    )

    assert compared(address, "shadow").missing == 1


def test_rows_of_a_batch_job_with_the_challenger_are_no_shadow(address):
    shadow = [prediction(n, "shadow", "2", 0.9, source="batch") for n in range(5)]
    kept(address, *shadow, *[prediction(n) for n in range(5, 9)], prediction(8, "shadow", "2"))

    found = compared(address, "shadow")

    assert (found.predictions, found.missing, found.mean) == (1, 0, 0.25)


def test_a_nightly_batch_of_the_champion_is_not_compared_with_a_canary(address):
    kept(
        address,
        prediction(1, "canary", "2", 0.5),
        prediction(2, probability=0.4),
        *[prediction(n, probability=0.9, source="batch") for n in range(3, 9)],
    )

    assert compared(address, "canary").champion_mean == 0.4


def test_another_model_another_version_and_another_time_do_not_count(address):
    kept(
        address,
        prediction(1, "canary", "2", 0.5),
        prediction(2, "canary", "3", 0.9),
        prediction(3, "canary", "2", 0.9, model="another"),
        prediction(4, "canary", "2", 0.9, predicted_at=SINCE - timedelta(days=1)),
        prediction(5, probability=0.3),
    )

    found = compared(address, "canary")

    assert (found.predictions, found.mean, found.champion_mean) == (1, 0.5, 0.3)


def test_nothing_is_nothing(address):
    found = compared(address, "shadow")

    assert (found.predictions, found.mean) == (0, None)


RULES = ProbationRules(days=30, timing=OutcomeTiming(horizon_days=31))


def served(address, *, ranks=True):
    """400 customers that version 2 has answered, and what became of them."""
    chance = np.random.default_rng(7)
    score = chance.uniform(0.02, 0.98, 400)
    left = chance.random(400) < np.where(ranks, score, 1 - score)
    kept(
        address,
        *[
            prediction(n, version="2", probability=float(each), customer=f"c{n}")
            for n, each in enumerate(score)
        ],
        prediction(999, version="1"),
    )
    with PredictionLedger(address) as ledger:
        ledger.record_outcomes(
            [
                Outcome(SINCE + timedelta(days=31), churned=bool(each), prediction_id=f"p-{n}")
                for n, each in enumerate(left)
            ]
        )
    return left


def watched(address, before=None, *, now=NOW, since_watched=timedelta(days=1)):
    return measure_probation(
        address, model=MODEL, version="2", since=SINCE, now=now, watched=now - since_watched,
        rules=RULES, before=before,
    )  # fmt: skip


@pytest.mark.parametrize(("ranks", "area"), [(True, 0.9), (False, 0.1)])
def test_probation_is_measured_by_outcomes(address, ranks, area):
    left = served(address, ranks=ranks)

    found = watched(address)

    assert (found.outcomes, found.predictions, found.look, found.days) == (400, 400, 1, 1)
    assert abs(found.roc_auc - area) < 0.1
    assert found.churn_rate_lower < left.mean() < found.churn_rate_upper
    assert found.estimated > 0.7  # the scores alone say that it ranks well


def test_a_customer_scored_every_week_counts_once(address):
    served(address)
    once = watched(address)
    again = [
        prediction(
            1000 + n, version="2", probability=0.5, customer=f"c{n}",
            predicted_at=SINCE + timedelta(days=5),
        )
        for n in range(400)
    ]  # fmt: skip
    kept(address, *again)
    with PredictionLedger(address) as ledger:
        ledger.record_outcomes(
            [Outcome(NOW, churned=False, prediction_id=f"p-{1000 + n}") for n in range(400)]
        )

    assert watched(address) == once


def test_customers_kept_by_a_campaign_are_no_fall(address):
    left = served(address)
    contacted = [n for n in range(400) if left[n]][:150]
    with PredictionLedger(address) as ledger:
        ledger.record_outcomes(
            [
                Outcome(SINCE + timedelta(days=31), churned=False, prediction_id=f"p-{n}")
                for n in contacted
            ]
        )
        ledger.record_treatments(
            [
                TreatmentRecord(SINCE + timedelta(days=1), treated=True, customer=f"c{n}")
                for n in contacted
            ]
        )

    found = watched(address)

    assert (found.outcomes, found.roc_auc) == (250, None)  # without a holdout nobody can tell


def test_probation_without_anything_has_no_verdict(address):
    found = watched(address)

    assert (found.outcomes, found.roc_auc, found.estimated, found.look) == (0, None, None, 0)


@pytest.mark.parametrize(("known", "look"), [(266, 4), (267, 3)])
def test_a_look_waits_for_half_as_much_again(address, known, look):
    served(address)
    before = ProbationFacts(look=3, outcomes=known, predictions=known, roc_auc=0.5)

    found = watched(address, before)

    assert found.look == look
    assert found.roc_auc == 0.5 if look == before.look else found.outcomes == 400


def test_a_later_look_is_surer(address):
    served(address)
    first = watched(address)
    later = watched(address, ProbationFacts(look=8, outcomes=200))

    assert (later.look, later.roc_auc) == (9, first.roc_auc)
    assert first.roc_auc_upper < later.roc_auc_upper
    assert first.estimated_upper < later.estimated_upper
    assert later.churn_rate_lower < first.churn_rate_lower


def test_the_last_look_takes_what_there_is(address):
    served(address)
    before = ProbationFacts(look=3, outcomes=399, predictions=399, days=29)

    assert watched(address, before.model_copy(update={"days": 28.0})).look == 3
    assert watched(address, before).look == 4


@pytest.mark.parametrize(
    ("jump", "counted"),
    [(timedelta(days=4), 4), (timedelta(days=4000), 10), (timedelta(days=-3), 0)],
)
def test_a_clock_that_jumps_ends_no_probation(address, jump, counted):
    found = watched(address, ProbationFacts(days=2), since_watched=jump)

    assert found.days == 2 + counted
