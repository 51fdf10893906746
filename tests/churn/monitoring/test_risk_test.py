"""The risk test: silent while the risk stays, loud when it rises, the same however outcomes arrive."""

from __future__ import annotations

import numpy as np
import pytest

from churn.errors import InputError
from churn.monitoring.risk_test import squared_errors, start_risk_test, upper_bound


@pytest.fixture
def generator():
    return np.random.default_rng(4)


def losses(generator, rows: int, *, more: float = 0.0):
    """Of calibrated scores, where everybody is more likely to leave by so much."""
    score = generator.beta(1.2, 3.0, rows)
    left = generator.random(rows) < np.minimum(1, score + more)
    return squared_errors(left, score)


def test_without_harm_it_stays_silent_for_as_often_as_one_looks(generator):
    alarms = [
        start_risk_test(losses(generator, 1_000), tolerance=0)
        .after(losses(generator, 10_000))
        .alarms
        for _ in range(200)
    ]

    assert np.mean(alarms) <= 0.05


def test_customers_who_behave_otherwise_raise_an_alarm_that_stays(generator):
    test = start_risk_test(losses(generator, 4_000)).after(losses(generator, 1_000))
    assert not test.alarms

    harmed = test.after(losses(generator, 3_000, more=0.2))
    later = harmed.after(losses(generator, 20_000))

    assert 1_000 < harmed.alarmed_at <= 4_000
    assert later.alarmed_at == harmed.alarmed_at
    assert later.sentence.startswith("The model errs more than it did, since outcome ")


def test_a_rise_within_the_tolerance_is_no_harm(generator):
    known = losses(generator, 4_000)
    risen = losses(generator, 20_000, more=0.05)
    rise = float(risen.mean() - known.mean())

    assert start_risk_test(known, tolerance=0).after(risen).alarms
    assert not start_risk_test(known, tolerance=rise).after(risen).alarms


def test_lower_risk_is_no_harm(generator):
    test = start_risk_test(losses(generator, 1_000), tolerance=0)

    assert not test.after(losses(generator, 20_000) / 2).alarms


@pytest.mark.parametrize("step", [1, 7, 500])
def test_outcomes_one_by_one_give_what_they_give_at_once(generator, step):
    test = start_risk_test(losses(generator, 500))
    arriving = losses(generator, 700, more=0.3)

    parts = test
    for first in range(0, 700, step):
        parts = parts.after(arriving[first : first + step])

    whole = test.after(arriving)
    assert whole.alarms
    assert parts.alarmed_at == whole.alarmed_at
    assert parts.log_wealth == pytest.approx(whole.log_wealth)
    assert type(test).model_validate_json(parts.model_dump_json()) == parts


def test_without_outcomes_nothing_is_said(generator):
    test = start_risk_test(losses(generator, 200))

    assert test.after(np.empty(0)) == test
    assert test.risk is None
    assert "No outcome has arrived" in test.sentence


def test_the_bound_lies_above_the_mean_but_for_its_level(generator):
    true_mean = float(losses(generator, 1_000_000).mean())

    above = [upper_bound(losses(generator, 300), 0.05) >= true_mean for _ in range(300)]

    assert np.mean(above) >= 0.95


@pytest.mark.parametrize(("loss", "lowest", "highest"), [(0.0, 0.0, 0.05), (1.0, 1.0, 1.0)])
def test_the_bound_of_losses_that_are_all_alike(loss, lowest, highest):
    assert lowest <= upper_bound(np.full(1_000, loss), 0.05) <= highest


def test_too_few_known_customers_are_refused():
    start_risk_test(np.full(200, 0.1))
    with pytest.raises(InputError, match="199 known customers and needs 200"):
        start_risk_test(np.full(199, 0.1))


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_a_loss_outside_its_range_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        start_risk_test(np.append(np.full(300, 0.1), bad))
    with pytest.raises(ValueError, match="between 0 and 1"):
        start_risk_test(np.full(300, 0.1)).after(np.array([bad]))
