"""Interactions of two columns: the statistic against logistic regression, and what is significant."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import OneHotEncoder

from churn.contract import DataContract
from churn.exploration.interactions import find_interactions


@pytest.fixture
def two_plans(telco):
    """A contract whose features are two categories."""
    columns = [
        {"name": "id", "kind": "id", "meaning": "id"},
        {"name": "a", "kind": "category", "categories": ["x", "y", "z"], "meaning": "a"},
        {"name": "b", "kind": "flag", "meaning": "b"},
        {"name": "left", "kind": "target", "meaning": "left"},
    ]
    return DataContract.model_validate(
        telco.contract.model_dump(exclude={"columns", "expectations"})
        | {
            "columns": columns,
            "expectations": telco.contract.expectations.model_dump() | {"implications": []},
        }
    )


def generated(log_odds) -> tuple[dict[str, np.ndarray], np.ndarray]:
    generator = np.random.default_rng(5)
    a, b = generator.integers(0, 3, 6000), generator.integers(0, 2, 6000)
    chance = 1 / (1 + np.exp(-log_odds(a, b)))
    return {"a": a, "b": b}, (generator.random(6000) < chance).astype(np.int8)


def test_the_statistic_is_the_deviance_of_additive_against_saturated_logistic(two_plans):
    columns, left = generated(lambda a, b: 0.5 * a - b + a * b * 0.4)
    (pair,) = find_interactions(columns, left, two_plans, ["a", "b"])

    def deviance(cells) -> float:
        design = OneHotEncoder(sparse_output=False).fit_transform(cells)
        fitted = LogisticRegression(C=1e12, tol=1e-10, max_iter=2000).fit(design, left)
        return 2 * len(left) * log_loss(left, fitted.predict_proba(design)[:, 1])

    additive = deviance(np.c_[columns["a"], columns["b"]])
    saturated = deviance(np.c_[columns["a"] * 2 + columns["b"]])
    assert pair.statistic == pytest.approx(additive - saturated, abs=1e-3)
    assert pair.significant


def test_effects_that_add_up_do_not_interact(two_plans):
    columns, left = generated(lambda a, b: 0.8 * a - 1.5 * b)
    (pair,) = find_interactions(columns, left, two_plans, ["a", "b"])

    assert not pair.significant


def test_a_combination_that_never_occurs_carries_no_degree_of_freedom(two_plans):
    columns, left = generated(lambda a, b: 0.0 * a)
    columns["b"] = (columns["a"] > 0).astype(int)  # b follows from a: nothing can interact
    (pair,) = find_interactions(columns, left, two_plans, ["a", "b"])

    assert (pair.statistic, pair.p_value) == (pytest.approx(0, abs=1e-6), 1.0)
    assert [group.label for group in pair.cells["No"]] == ["x"]


def test_numbers_run_along_the_axis_and_the_shipped_table_has_its_pair(
    telco, telco_columns, telco_target
):
    names = ["Contract", "tenure", "gender"]
    pairs = find_interactions(telco_columns, telco_target, telco.contract, names)

    assert (pairs[0].first, pairs[0].second, pairs[0].unit) == ("tenure", "Contract", "months")
    assert pairs[0].significant
    assert sum(g.rows for cells in pairs[0].cells.values() for g in cells) == 7043


def test_one_column_has_no_pair(telco, telco_columns, telco_target):
    assert find_interactions(telco_columns, telco_target, telco.contract, ["Contract"]) == ()
