"""Figures once outcomes are known: treated customers apart, the holdout in their place, by slice."""

from __future__ import annotations

import numpy as np
import pytest

from churn.evaluation.delong import delong
from churn.monitoring.estimated_performance import Campaign
from churn.monitoring.realised_performance import Treatment, measure_realised, with_slices
from churn.retention.profit import campaign_profit
from churn.retention.value_settings import ValueSettings

ROWS = 4_000


@pytest.fixture
def window():
    """Scores, outcomes had nobody been treated, and a campaign with a holdout of a fifth."""
    generator = np.random.default_rng(3)
    score = generator.beta(1.2, 3.0, ROWS)
    left = (generator.random(ROWS) < score).astype(np.int8)
    chosen = score >= 0.4
    holdout = chosen & (generator.random(ROWS) < 0.2)
    return score, left, Treatment(treated=chosen & ~holdout, holdout=holdout)


def test_treated_customers_are_kept_apart(window):
    score, left, who = window
    kept = np.where(who.treated, 0, left).astype(np.int8)  # a campaign that keeps everybody

    found = measure_realised(kept, score, treatment=who)

    assert found.untreated.rows + found.treated.rows == ROWS
    assert found.treated.left == 0
    assert found.treated.finding == "cannot tell"
    assert found.treated.roc_auc is None
    assert found.treated.churn_rate.value == 0
    assert found.untreated.left == int(left[~who.treated].sum())
    assert found.untreated.roc_auc.value == delong(left[~who.treated], score[~who.treated]).area
    assert found.holdout.rows == int(who.holdout.sum())
    assert found.notes == ()


def test_the_holdout_shows_what_had_been_without_the_campaign(window):
    score, left, who = window
    kept = np.where(who.treated, 0, left).astype(np.int8)
    had_been = delong(left, score).area

    found = measure_realised(kept, score, treatment=who)

    assert found.roc_auc_if_untreated.interval.covers(had_been)
    assert not delong(kept, score).interval().covers(had_been)  # what everybody together shows


def test_without_a_holdout_nobody_says_what_had_been(window):
    score, left, who = window
    nobody = np.zeros(ROWS, dtype=bool)

    found = measure_realised(left, score, treatment=Treatment(who.treated | who.holdout, nobody))

    assert found.roc_auc_if_untreated is None
    assert (found.holdout.rows, found.holdout.churn_rate) == (0, None)


def test_where_nobody_says_who_was_treated_the_figures_say_so(window):
    score, left, _ = window

    found = measure_realised(left, score)

    assert found.untreated.rows == ROWS
    assert "Who was treated was not told" in found.notes[0]


def test_risk_and_profit_have_intervals(window):
    score, left, _ = window
    clv = np.full(ROWS, 200.0)

    figures = measure_realised(left, score, campaign=Campaign(0.4, clv, ValueSettings())).untreated

    profit = campaign_profit(left, score, 0.4, clv, ValueSettings())
    assert figures.profit.value == pytest.approx(profit.mean())
    assert figures.profit.interval.covers(profit.mean())
    assert figures.risk.value == pytest.approx(np.square(score - left).mean())
    assert figures.churn_rate.interval.covers(figures.expected_churn_rate)


@pytest.mark.parametrize("few", [0, 9, 10])
def test_fewer_than_ten_of_an_outcome_give_no_verdict(few):
    target = (np.arange(200) < few).astype(np.int8)

    figures = measure_realised(target, np.linspace(0.9, 0.1, 200)).untreated

    assert figures.finding == ("measured" if few == 10 else "cannot tell")
    assert (figures.roc_auc is None) == (few < 10)
    assert figures.churn_rate.value == few / 200


def test_an_empty_window_gives_no_verdict():
    figures = measure_realised(np.empty(0, np.int8), np.empty(0)).untreated

    assert (figures.finding, figures.rows, figures.churn_rate) == ("cannot tell", 0, None)


def test_slices_are_of_the_untreated_alone(telco_columns, telco_target, contract):
    score = np.random.default_rng(1).random(len(telco_target))
    treated = np.arange(len(score)) % 2 == 0
    who = Treatment(treated, np.zeros_like(treated))

    found = with_slices(
        measure_realised(telco_target, score, treatment=who),
        telco_columns, contract, telco_target, score,
        threshold=0.5, treatment=who,
    )  # fmt: skip

    of_gender = [each for each in found.slices.slices if each.column == "gender"]
    assert sum(each.rows for each in of_gender) == found.untreated.rows
    assert all(each.roc_auc is not None for each in of_gender)


def test_slices_of_one_outcome_are_left_out(telco_columns, contract):
    nobody = np.zeros(len(telco_columns["tenure"]), dtype=np.int8)
    score = np.full(len(nobody), 0.2)
    found = measure_realised(nobody, score)

    assert with_slices(found, telco_columns, contract, nobody, score, threshold=0.5) is found


def test_a_customer_is_not_treated_and_held_out_at_once():
    both = np.array([True, False])
    with pytest.raises(ValueError, match="treated and in the holdout"):
        Treatment(both, both)


@pytest.mark.parametrize(
    ("target", "score", "said"),
    [([0, 1], [0.1], "do not match"), ([0, 2], [0.1, 0.2], "do not match")],
)
def test_what_does_not_fit_is_refused(target, score, said):
    with pytest.raises(ValueError, match=said):
        measure_realised(np.array(target, np.int8), np.array(score))
