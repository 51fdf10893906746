from datetime import UTC, datetime

import numpy as np
import pytest

from churn.data.generator import generate
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.monitoring.stale_snapshot import measure_stale_snapshot
from churn.monitoring.staleness import measure_stale_month
from churn.retention.profit import break_even
from churn.retention.value_settings import ValueSettings

VALUE = ValueSettings()
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def contacts(*places, rows=5):
    found = np.zeros(rows, dtype=bool)
    found[list(places)] = True
    return found


def test_only_customers_that_one_contacts_and_the_other_does_not_count():
    left = [1, 0, 1, 0, 0]
    # each who left and is contacted earns .3 * 190 - 1 = 56; each who stays costs 11
    month = measure_stale_month(
        left, contacts(0, 1), contacts(0, 2, 3), np.full(5, 200.0), VALUE, until=UNTIL
    )
    assert month.lost == pytest.approx(56 - 11 + 11)
    assert month.error == pytest.approx(np.std([0, 11, 56, -11, 0]) * np.sqrt(5))
    assert (month.until, month.basis) == (UNTIL, "realised")


def test_the_same_campaign_has_lost_nothing_whatever_it_earned():
    for left in ([0] * 5, [1] * 5):
        month = measure_stale_month(
            left, contacts(1, 2), contacts(1, 2), np.full(5, 200.0), VALUE, until=UNTIL
        )
        assert (month.lost, month.error) == (0.0, 0.0)


def test_calibrated_probabilities_stand_for_outcomes():
    month = measure_stale_month(
        [0.5, 0.1, 0.1, 0.1, 0.1], contacts(), contacts(0), np.full(5, 200.0), VALUE,
        until=UNTIL, basis="estimated",
    )  # fmt: skip
    assert month.lost == pytest.approx(0.5 * 0.3 * 190 - 0.5 * 10 - 1)


def test_campaigns_of_other_customers_are_refused():
    with pytest.raises(ValueError, match="do not match"):
        measure_stale_month([0, 1], contacts(), contacts(rows=2), [200.0] * 2, VALUE, until=UNTIL)


@pytest.fixture(scope="module")
def measured(contract):
    """What a model of quiet customers loses on quiet ones, and where Contract's effect is reversed."""
    recipe = "logistic"
    candidate = build_candidates([recipe], default_recipes(), contract)[recipe]
    before = generate(contract, 4_000, seed=1)
    champion = candidate.fit(before.columns, before.target)

    def measure(rows):
        clv = np.full(len(rows.target), VALUE.clv)
        chance = 1 / (1 + np.exp(-champion.logit(rows.columns)))
        return measure_stale_snapshot(
            rows.columns, rows.target, chance >= break_even(VALUE.clv, VALUE), candidate,
            clv=clv, value=VALUE, until=UNTIL,
        )  # fmt: skip

    quiet = generate(contract, 4_000, seed=2)
    moved = generate(contract, 4_000, seed=3, scenario="behaviour", strength=1.0)
    return measure(quiet), measure(moved)


def test_a_champion_loses_where_behaviour_changed_and_nothing_where_it_did_not(measured):
    quiet, moved = measured
    assert quiet.lost < 2 * quiet.error
    assert moved.lost > 4 * moved.error
