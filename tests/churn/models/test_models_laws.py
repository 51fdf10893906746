"""Laws that formulas and models keep on any customers the contract allows, real or not."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from churn.contract import NumberColumn
from churn.features.encoding import take
from churn.features.feature_set import feature_set
from churn.features.groups import GROUPS
from churn.models.linear.terms import Curve
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import GbmSettings, SplineLogisticSettings, default_recipes


def customers(contract, draw, most=12):
    """Any rows within the contract's bounds; numbers like to sit on their bounds."""
    rows = draw(st.integers(1, most))
    columns = {}
    for column in contract.features:
        if isinstance(column, NumberColumn):
            within = st.floats(column.minimum, column.maximum, allow_subnormal=True)
            value = st.one_of(st.sampled_from([column.minimum, column.maximum, 1.0]), within)
            columns[column.name] = np.array(draw(st.lists(value, min_size=rows, max_size=rows)))
        else:
            codes = st.integers(0, len(column.categories) - 1)
            found = draw(st.lists(codes, min_size=rows, max_size=rows))
            columns[column.name] = np.array(found, dtype=np.int8)
    return columns


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    recipes = default_recipes() | {
        "gbm": GbmSettings(trees=40, features=GROUPS),
        "spline_logistic": SplineLogisticSettings(features=GROUPS),
    }
    names = ["logistic", "spline_logistic", "gbm", "blend"]
    few = {name: values[:2000] for name, values in telco_columns.items()}
    return fit_all(build_candidates(names, recipes, contract), few, telco_target[:2000])


@given(st.data())
def test_formulas_are_finite_and_silent(contract, data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = feature_set(contract).compute(customers(contract, data.draw))
    for name, values in made.items():
        assert np.isfinite(values).all(), name


@given(st.data())
def test_a_formula_sees_one_row_at_a_time(contract, data):
    features, rows = feature_set(contract), customers(contract, data.draw)
    many = features.compute(rows)
    order = np.array(data.draw(st.permutations(range(len(rows["tenure"])))))
    shuffled = features.compute(take(rows, order))
    for name, values in many.items():
        assert np.array_equal(shuffled[name], values[order])
        for row in range(len(values)):
            assert features.compute(take(rows, np.array([row])))[name][0] == values[row]


@given(st.data())
@settings(max_examples=40)
def test_a_model_scores_one_row_at_a_time_and_its_parts_add_up(contract, models, data):
    rows = customers(contract, data.draw)
    order = np.array(data.draw(st.permutations(range(len(rows["tenure"])))))
    for model in models.values():
        logit, parts = model.logit(rows), model.contributions(rows)
        assert np.isfinite(logit).all()
        # Plain logistic goes on along its lines: far outside the data, parts reach hundreds.
        assert np.allclose(parts.sum(axis=1), logit - model.base, rtol=1e-12, atol=1e-9)
        assert np.array_equal(model.logit(take(rows, order)), logit[order])
        assert np.array_equal(model.contributions(take(rows, order)), parts[order])
        assert model.logit(take(rows, order[:1]))[0] == logit[order[0]]


@given(st.data())
@settings(max_examples=40)
def test_beyond_the_training_rows_splines_stay_flat(contract, models, data):
    rows = customers(contract, data.draw)
    curves = [term for term in models["spline_logistic"].terms if isinstance(term, Curve)]
    columns = {term.column for term in curves}
    assert columns & set(rows)
    for term in curves:
        if term.column in rows:
            most = term.edges[-1]
            above = np.maximum(rows[term.column], most)
            end = term({term.column: np.full(len(above), most)})
            assert np.allclose(term({term.column: above}), end, rtol=0, atol=1e-12)


@st.composite
def curves(draw):
    edges = sorted(draw(st.sets(st.integers(-20, 20), max_size=5)))
    pieces = len(edges) + 1
    cell = st.floats(-3, 3)
    coefficients = [draw(st.lists(cell, min_size=pieces, max_size=pieces)) for _ in range(4)]
    origins = draw(st.lists(st.integers(-20, 20), min_size=pieces, max_size=pieces))
    return Curve("x", np.array(edges, float), np.array(origins, float), np.array(coefficients))


@given(curves(), curves(), st.lists(st.floats(-25, 25), min_size=1, max_size=20))
def test_adding_curves_adds_their_values(first, second, where):
    at = {"x": np.array([*where, *first.edges, *second.edges])}
    expected = first(at) + second(at)
    # Coefficients up to 3 and distances up to 45: terms reach 3e5, so 1e-9 is their last digits.
    assert np.allclose(first.plus(second)(at), expected, rtol=1e-11, atol=1e-8)
    assert np.allclose(first.plus(second)(at), second.plus(first)(at), rtol=1e-11, atol=1e-8)
