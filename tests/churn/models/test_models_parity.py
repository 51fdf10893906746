"""One model, one score: alone or among many, in memory or read back, ours or the library's."""

from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest
from scipy.special import expit

from churn.features.encoding import encode, take
from churn.features.groups import GROUPS
from churn.models.model_store import load_model, save_model
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    LogisticSettings,
    SplineLogisticSettings,
    default_recipes,
)

RECIPES = default_recipes() | {
    "logistic_wide": LogisticSettings(features=GROUPS),
    "spline_wide": SplineLogisticSettings(features=GROUPS),
    "gbm_wide": GbmSettings(trees=60, features=GROUPS),
    "blend_wide": BlendSettings(members=("spline_wide", "gbm_wide", "logistic")),
}


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    return fit_all(build_candidates(list(RECIPES), RECIPES, contract), telco_columns, telco_target)


@pytest.fixture(scope="module")
def reloaded(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, model in models.items():
        save_model(model, folder / name)
    return {name: load_model(folder / name) for name in models}


@pytest.mark.parametrize("name", RECIPES)
def test_a_customer_alone_scores_as_among_seven_thousand(models, telco_columns, name):
    model = models[name]
    many = model.logit(telco_columns)
    some = np.arange(0, 7043, 71)
    parts = model.contributions(take(telco_columns, some))
    for place, row in enumerate(some):
        alone = take(telco_columns, np.array([row]))
        assert model.logit(alone)[0] == many[row]
        assert np.array_equal(model.contributions(alone)[0], parts[place])


@pytest.mark.parametrize("name", RECIPES)
def test_a_model_read_back_scores_bit_for_bit_the_same(models, reloaded, telco_columns, name):
    assert np.array_equal(reloaded[name].logit(telco_columns), models[name].logit(telco_columns))
    some = take(telco_columns, np.arange(0, 7043, 20))
    assert np.array_equal(reloaded[name].contributions(some), models[name].contributions(some))
    assert reloaded[name].base == models[name].base
    assert reloaded[name].features == models[name].features


@pytest.mark.parametrize("name", RECIPES)
def test_contributions_sum_to_the_logit_less_the_base(models, telco_columns, name):
    model = models[name]
    logit, some = model.logit(telco_columns), np.arange(0, 7043, 10)
    parts = model.contributions(take(telco_columns, some))
    assert parts.shape == (len(some), len(model.features))
    assert np.allclose(parts.sum(axis=1), logit[some] - model.base, rtol=0, atol=1e-9)
    assert model.base == pytest.approx(logit.mean(), abs=1e-9)
    assert len(set(model.features)) == len(model.features)


@pytest.mark.parametrize("name", ["logistic_balanced", "spline_logistic", "gbm", "blend"])
def test_the_same_rows_give_the_same_model_bit_for_bit(
    contract, models, telco_columns, telco_target, name
):
    again = build_candidates([name], RECIPES, contract)[name].fit(telco_columns, telco_target)
    assert np.array_equal(again.logit(telco_columns), models[name].logit(telco_columns))


def test_fits_that_overlap_in_threads_give_the_same_models(
    contract, models, telco_columns, telco_target
):
    candidate = build_candidates(["blend"], RECIPES, contract)["blend"]
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(candidate.fit, telco_columns, telco_target) for _ in range(4)]
    expected = models["blend"].logit(telco_columns)
    for task in tasks:
        assert np.array_equal(task.result().logit(telco_columns), expected)


def test_scores_asked_for_by_many_threads_do_not_mix(models, telco_columns):
    expected = models["blend"].logit(telco_columns)
    rows = [np.arange(start, 7043, 8) for start in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda r: models["blend"].logit(take(telco_columns, r)), rows))
    for places, scores in zip(rows, found, strict=True):
        assert np.array_equal(scores, expected[places])


def test_the_order_of_the_columns_does_not_matter(models, telco_columns):
    turned = dict(reversed(telco_columns.items()))
    assert np.array_equal(models["blend"].logit(turned), models["blend"].logit(telco_columns))


def sklearn_pipeline(telco, numbers, **regression):
    """The same recipe in scikit-learn's own words, from the typed table."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    coded = telco.contract.coded
    one_hot = OneHotEncoder(categories=[list(column.categories) for column in coded])
    return make_pipeline(
        make_column_transformer(
            (one_hot, [column.name for column in coded]),
            (numbers, [column.name for column in telco.contract.numbers]),
            sparse_threshold=0,
        ),
        LogisticRegression(solver="newton-cholesky", tol=1e-12, **regression),
    )


@pytest.mark.parametrize(
    ("name", "weight"), [("logistic", None), ("logistic_balanced", "balanced")]
)
def test_plain_logistic_is_scikit_learns(models, telco, telco_columns, telco_target, name, weight):
    from sklearn.preprocessing import StandardScaler

    pipeline = sklearn_pipeline(telco, StandardScaler(), C=1.0, class_weight=weight)
    expected = pipeline.fit(telco.frame, telco_target).decision_function(telco.frame)
    assert np.allclose(models[name].logit(telco_columns), expected, rtol=0, atol=1e-9)


def test_spline_logistic_is_scikit_learns_beyond_the_data_too(
    contract, telco, telco_columns, telco_target
):
    from sklearn.preprocessing import SplineTransformer

    recipes = {"spline": SplineLogisticSettings(features=())}
    model = build_candidates(["spline"], recipes, contract)["spline"].fit(
        telco_columns, telco_target
    )
    splines = SplineTransformer(n_knots=7, degree=3, knots="quantile", extrapolation="constant")
    pipeline = sklearn_pipeline(telco, splines, C=0.2).fit(telco.frame, telco_target)
    beyond = telco.frame.copy()
    for column in contract.numbers:
        beyond[column.name] = np.linspace(0, 3 * beyond[column.name].max(), len(beyond))

    for frame in (telco.frame, beyond):
        expected = pipeline.decision_function(frame)
        found = model.logit(encode(frame, contract))
        assert np.allclose(found, expected, rtol=0, atol=1e-9)


def test_the_trees_are_lightgbms(models, telco_columns, tmp_path):
    save_model(models["gbm"], tmp_path / "gbm")
    booster = lightgbm.Booster(model_file=tmp_path / "gbm" / "trees.txt")
    matrix = np.column_stack([telco_columns[name] for name in models["gbm"].features])
    assert np.allclose(
        expit(models["gbm"].logit(telco_columns)), booster.predict(matrix), rtol=0, atol=1e-12
    )
