"""A column that alone tells who left is found; chance and rare values are not taken for one."""

import numpy as np
import pytest

from churn.evaluation.column_ranking import strongest_column

ROWS = 2000


@pytest.fixture(scope="module")
def left():
    return (np.random.default_rng(1).random(ROWS) < 0.27).astype(np.int8)


def ranking(values, left):
    return strongest_column({"only": values}, left).roc_auc


def test_the_real_table_has_no_column_that_gives_the_outcome_away(telco_columns, telco_target):
    found = strongest_column(telco_columns, telco_target)
    assert found.column in ("Contract", "tenure")
    assert 0.70 < found.roc_auc < 0.78


def test_a_copy_a_reversed_copy_and_a_range_are_found(left):
    wrong = np.random.default_rng(2).random(ROWS) < 0.03
    copy = np.where(wrong, 1 - left, left).astype(np.int8)
    assert ranking(copy, left) == pytest.approx(0.97, abs=0.01)
    assert ranking(1 - copy, left) == pytest.approx(0.97, abs=0.01)
    # neither high nor low alone says it: those in the middle left
    middle = np.where(left == 1, 5.0, np.where(np.arange(ROWS) % 2, 0.0, 10.0))
    middle += np.random.default_rng(3).normal(scale=0.5, size=ROWS)
    assert ranking(middle, left) > 0.95


def test_a_value_that_is_missing_only_where_customers_stayed_is_found(left):
    numbers = np.random.default_rng(4).normal(size=ROWS)
    assert ranking(np.where(left == 1, numbers, np.nan), left) > 0.99


def test_noise_and_a_category_of_its_own_for_every_customer_rank_like_chance(left):
    generator = np.random.default_rng(5)
    assert ranking(generator.normal(size=ROWS), left) == pytest.approx(0.5, abs=0.05)
    assert ranking(np.arange(ROWS), left) == pytest.approx(0.5, abs=0.05)
    assert ranking(np.full(ROWS, np.nan), left) == pytest.approx(0.5, abs=0.05)


def test_no_column_is_an_error(left):
    with pytest.raises(ValueError, match="empty"):
        strongest_column({}, left)
