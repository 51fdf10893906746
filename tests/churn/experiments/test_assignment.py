"""Arms by hash: balanced in strata, the same on every machine, fair to every customer."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.errors import InputError
from churn.experiments.assignment import HOLDOUT, TREATED, assign_arms, hashed_share

SHARES = {HOLDOUT: 0.2, TREATED: 0.8}
CUSTOMERS = [f"C-{number:05}" for number in range(4000)]
STRATA = ["high" if number % 3 else "low" for number in range(4000)]


def test_the_hash_is_the_same_for_ever():
    assert hashed_share(["C-00001", "C-00002"], "one").tolist() == [
        0.3390561825044607,
        0.8270554524784319,
    ]
    assert hashed_share(["C-00001"], "one") != hashed_share(["C-00001"], "two")


def test_hashes_are_evenly_spread():
    shares = hashed_share(CUSTOMERS, "spread")

    counted, _ = np.histogram(shares, 20, (0, 1))
    assert ((counted - 200) ** 2 / 200).sum() < 43.8  # chi-square with 19, p = .001


@given(st.permutations(range(60)), st.text(min_size=1, max_size=80))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_rows_changes_nothing(order, salt):
    customers, strata = CUSTOMERS[:60], STRATA[:60]

    arms = dict(zip(customers, assign_arms(customers, strata, SHARES, salt=salt), strict=True))
    shuffled = [customers[place] for place in order]
    again = assign_arms(shuffled, [strata[place] for place in order], SHARES, salt=salt)

    assert dict(zip(shuffled, again, strict=True)) == arms


def test_each_stratum_is_split_by_the_shares_to_one_customer():
    arms = assign_arms(CUSTOMERS, STRATA, SHARES, salt="balance")

    for stratum in ("high", "low"):
        mine = arms[np.array(STRATA) == stratum]
        assert abs((mine == HOLDOUT).sum() - 0.2 * len(mine)) <= 1


def test_a_stratum_of_one_customer_is_held_out_in_a_fifth_of_the_experiments():
    held = [
        assign_arms(["C-1"], ["alone"], SHARES, salt=f"experiment-{number}")[0] == HOLDOUT
        for number in range(2000)
    ]

    assert np.mean(held) == pytest.approx(0.2, abs=0.036)  # four standard errors


def test_another_experiment_assigns_independently():
    first = assign_arms(CUSTOMERS, STRATA, SHARES, salt="a") == HOLDOUT
    second = assign_arms(CUSTOMERS, STRATA, SHARES, salt="b") == HOLDOUT

    assert np.mean(first & second) == pytest.approx(0.04, abs=0.0125)


def test_who_has_an_arm_keeps_it_and_newcomers_are_balanced_among_themselves():
    before = dict(
        zip(
            CUSTOMERS[:1000],
            assign_arms(CUSTOMERS[:1000], STRATA[:1000], SHARES, salt="x"),
            strict=True,
        )
    )

    after = assign_arms(CUSTOMERS, STRATA[::-1], SHARES, salt="x", earlier=before)

    assert after[:1000].tolist() == list(before.values())
    assert abs((after[1000:] == HOLDOUT).sum() - 600) <= 2


def test_newcomers_one_by_one_get_the_shares_within_one_stratum():
    arms: dict[str, str] = {}
    for customer in CUSTOMERS[:2000]:  # each in a campaign of its own
        (arms[customer],) = assign_arms([customer], ["high"], SHARES, salt="x")

    held = sum(arm == HOLDOUT for arm in arms.values())
    assert held / 2000 == pytest.approx(0.2, abs=0.036)  # four standard errors


def test_many_arms_get_their_shares():
    arms = assign_arms(CUSTOMERS, ["all"] * 4000, {"a": 0.5, "b": 0.3, "c": 0.2}, salt="three")

    assert Counter(arms.tolist()) == {"a": 2000, "b": 1200, "c": 800}


def test_nobody_is_nobody():
    assert assign_arms([], [], SHARES, salt="x").tolist() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a", "b", "a"], ["s"] * 3, SHARES), "Row 3 has the id of row 1"),
        ((["a"], ["s", "s"], SHARES), "1 customers do not match 2 strata"),
        ((["a"], ["s"], {"all": 1.0}), "all 1"),
        ((["a"], ["s"], {}), "shares are none"),
        ((["a"], ["s"], {"x": 0.5, "y": 0.4}), "add up to 0.9"),
        ((["a"], ["s"], {"x": -0.5, "y": 1.5}), "x -0.5"),
    ],
)
def test_senseless_assignments_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        assign_arms(*arguments, salt="x")


def test_an_arm_of_another_experiment_is_refused():
    with pytest.raises(InputError, match="names the arm 'control'"):
        assign_arms(["a"], ["s"], SHARES, salt="x", earlier={"b": "control"})
