"""What the shipped network must and must not do, whatever its figures."""

import numpy as np
import pytest
from scipy.special import expit

from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import deep_recipes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(contract, telco_columns, telco_target):
    recipes = {"tabular_net": deep_recipes()["tabular_net"].model_copy(update={"device": "cpu"})}
    candidate = build_candidates(["tabular_net"], recipes, contract)["tabular_net"]
    return candidate.fit(telco_columns, telco_target)


def test_gender_hardly_moves_a_score(model, telco_columns):
    swapped = telco_columns | {"gender": (1 - telco_columns["gender"]).astype(np.int8)}
    moved = expit(model.logit(swapped)) - expit(model.logit(telco_columns))
    assert 0 < np.abs(moved).max() < 0.03
    assert np.abs(moved).mean() < 0.01


def test_a_longer_term_lowers_the_risk(model, telco_columns):
    by_term = [
        model.logit(telco_columns | {"Contract": np.full(7043, term, dtype=np.int8)})
        for term in range(3)
    ]
    assert (by_term[0] > by_term[1]).all()
    assert by_term[1].mean() > by_term[2].mean()


def test_a_longer_tenure_hardly_ever_raises_the_risk_much(model, telco_columns):
    """Nothing constrains the network; this is a bound on what it learnt, not a promise."""
    some = {name: values[::10] for name, values in telco_columns.items()}
    before = None
    for months in range(73):
        risk = model.logit(some | {"tenure": np.full(len(some["tenure"]), float(months))})
        assert before is None or (risk - before).max() < 0.2, f"month {months}"
        before = risk


def test_customers_with_the_same_features_have_the_same_score(model, telco_columns):
    table = np.column_stack(list(telco_columns.values()))
    _, first, group = np.unique(table, axis=0, return_index=True, return_inverse=True)
    score = model.logit(telco_columns)
    assert len(first) < 7043
    assert np.array_equal(score, score[first][group])
