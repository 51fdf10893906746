"""Churn ratios by group: counts, intervals, bands, and what a title may say of them."""

import numpy as np
import pytest

from churn.contract import CategoryColumn, NumberColumn
from churn.exploration.breakdown import break_down, group_rows, rank_columns

PLAN = CategoryColumn(
    name="plan", kind="category", meaning="Plan", categories=("basic", "plus", "rare")
)
AGE = NumberColumn(name="age", kind="number", meaning="Age", unit="years", minimum=0, maximum=99)


def test_groups_count_customers_and_leavers_in_the_contracts_order():
    codes = np.array([1, 0, 1, 1])
    found = break_down({"plan": codes}, np.array([1, 0, 0, 1], dtype=np.int8), PLAN)

    assert [(g.label, g.rows, g.left) for g in found.groups] == [("basic", 1, 0), ("plus", 3, 2)]


def test_the_strongest_column_of_the_shipped_table_is_the_contract(
    telco, telco_columns, telco_target
):
    ranked = rank_columns(telco_columns, telco_target, telco.contract)
    best = ranked[0]

    assert [found.column for found in ranked[:2]] == ["Contract", "tenure"]
    assert best.explained == pytest.approx(0.1702, abs=5e-5)
    assert best.finding == "Contract: 42.7% left at Month-to-month, 2.8% at Two year"
    assert best.highest.ratio.text(".1%") == "42.7% (41.2% to 44.3%)"


def test_a_column_without_a_difference_says_so(telco, telco_columns, telco_target):
    found = break_down(telco_columns, telco_target, telco.contract.column("gender"))

    assert not found.differs
    assert found.finding == "gender: no clear difference, 26.2% to 26.9% left"


def test_no_statement_rests_on_a_group_of_fewer_than_thirty():
    codes = np.repeat([0, 1, 2], [100, 100, 29])
    left = np.concatenate([np.arange(100) < 60, np.arange(100) < 20, np.ones(29)]).astype(np.int8)
    found = break_down({"plan": codes}, left, PLAN)
    with_one_more = break_down(
        {"plan": np.append(codes, 2)}, np.append(left, 1).astype(np.int8), PLAN
    )

    assert found.highest.label == "basic"
    assert with_one_more.highest.label == "rare"


def test_bands_hold_about_as_many_customers_and_are_named_by_their_own_values():
    member, labels = group_rows({"age": np.arange(1.0, 61.0)}, AGE, bands=3)

    assert np.bincount(member).tolist() == [20, 20, 20]
    assert labels == ("1 to 20", "21 to 40", "41 to 60")


def test_a_number_of_one_value_is_one_band_and_no_difference():
    found = break_down({"age": np.full(40, 7.0)}, (np.arange(40) % 2).astype(np.int8), AGE)

    assert [(g.label, g.rows) for g in found.groups] == [("7", 40)]
    assert not found.differs


@pytest.mark.parametrize("outcome", [0, 1])
def test_an_outcome_of_one_value_explains_nothing(outcome):
    target = np.full(80, outcome, dtype=np.int8)
    found = break_down({"plan": np.arange(80) % 2}, target, PLAN)

    assert (found.explained, found.differs) == (0.0, False)


def test_a_table_without_customers_is_refused():
    with pytest.raises(ValueError, match="without customers"):
        break_down({"plan": np.array([], dtype=int)}, np.array([], dtype=np.int8), PLAN)
