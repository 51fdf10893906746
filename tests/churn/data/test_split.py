"""The shipped customers split, whose ids are surrogates: by what they are, not by where they stand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from churn.data.split import split_rows
from churn.errors import InputError


@pytest.fixture(scope="module")
def split(telco):
    return split_rows(telco.frame, telco.contract, gate_fraction=0.2, seed=11)


@pytest.fixture(scope="module")
def features(telco) -> list[str]:
    return [column.name for column in telco.contract.features]


def gate_ids(frame, contract, **settings) -> set[str]:
    """Who is set aside."""
    found = split_rows(frame, contract, **({"gate_fraction": 0.2, "seed": 11} | settings))
    return set(frame[contract.id.name].iloc[found.gate])


def test_every_row_stands_on_one_side(telco, split):
    both = np.concatenate([split.development, split.gate])

    assert split.rows == telco.rows
    assert np.array_equal(np.sort(both), np.arange(telco.rows))
    for side in (split.development, split.gate):
        assert (np.diff(side) > 0).all()


def test_neither_the_order_of_the_file_nor_the_ids_change_who_is_set_aside(telco, split):
    shuffled = telco.frame.sample(frac=1, random_state=5)
    renamed = telco.frame.assign(customerID=[f"other-{row}" for row in range(telco.rows)])

    again = split_rows(renamed, telco.contract, gate_fraction=0.2, seed=11)

    assert gate_ids(shuffled, telco.contract) == gate_ids(telco.frame, telco.contract)
    assert np.array_equal(again.gate, split.gate)


def test_whether_a_customer_left_has_no_say(telco, split):
    turned = telco.frame["Churn"].cat.rename_categories({"No": "Yes", "Yes": "No"})
    swapped = telco.frame.assign(Churn=turned.cat.set_categories(["No", "Yes"]))
    assert (swapped["Churn"] != telco.frame["Churn"]).all()

    again = split_rows(swapped, telco.contract, gate_fraction=0.2, seed=11)

    assert np.array_equal(again.gate, split.gate)


def test_a_customer_stays_on_his_side_when_others_come(telco):
    few = telco.frame.iloc[:3000]

    before = gate_ids(few, telco.contract)

    assert before == gate_ids(telco.frame, telco.contract) & set(few["customerID"])


def test_customers_alike_in_every_feature_stand_together(telco, split, features):
    plain = telco.frame[features].astype(str)
    assert plain.duplicated(keep=False).sum() > plain.duplicated().sum() > 0

    on_gate = np.zeros(telco.rows, dtype=bool)
    on_gate[split.gate] = True
    sides = pd.Series(on_gate).groupby([plain[name].to_numpy() for name in features]).nunique()

    assert (sides == 1).all()
    # A split by position would tear some of these groups apart.
    by_position = pd.Series(np.random.default_rng(3).permutation(on_gate))
    assert by_position.groupby([plain[name].to_numpy() for name in features]).nunique().max() == 2


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_the_share_set_aside_is_about_what_was_asked_for(telco, features, fraction):
    found = split_rows(telco.frame, telco.contract, gate_fraction=fraction, seed=11)

    # Equal rows move together, so the unequal ones are the coins that are tossed.
    coins = len(telco.frame[features].drop_duplicates())
    spread = stats.binom(coins, fraction).std() * telco.rows / coins
    assert abs(len(found.gate) - fraction * telco.rows) < 4 * spread


def test_who_left_is_as_common_on_both_sides_as_chance_has_it(telco, split, telco_target):
    rates = [telco_target[side].mean() for side in (split.development, split.gate)]

    noise = np.sqrt(0.265 * 0.735 * (1 / len(split.development) + 1 / len(split.gate)))
    assert abs(rates[0] - rates[1]) < 4 * noise


def test_another_seed_sets_other_customers_aside(telco):
    first = gate_ids(telco.frame, telco.contract)
    second = gate_ids(telco.frame, telco.contract, seed=12)

    # Two independent fifths share about a fifth of each other.
    assert 0.1 < len(first & second) / len(first) < 0.3


def test_a_larger_share_keeps_who_was_set_aside(telco):
    smaller = gate_ids(telco.frame, telco.contract, gate_fraction=0.2)

    assert smaller < gate_ids(telco.frame, telco.contract, gate_fraction=0.3)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_are_refused(telco, rows):
    with pytest.raises(InputError) as caught:
        split_rows(telco.frame.head(rows), telco.contract, gate_fraction=0.2, seed=11)

    assert str(caught.value) == (
        f"The table's {rows} rows cannot be split with split.gate_fraction 0.2: one side would be "
        "empty. Bring more rows."
    )


def test_many_rows_that_are_all_alike_are_refused(telco):
    alike = pd.concat([telco.frame.head(1)] * 50, ignore_index=True)

    with pytest.raises(InputError, match="The table's 50 rows cannot be split"):
        split_rows(alike, telco.contract, gate_fraction=0.2, seed=11)
