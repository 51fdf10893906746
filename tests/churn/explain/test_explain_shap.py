"""Our contributions are SHAP's values, computed here by the shap library on the real rows."""

import lightgbm
import numpy as np
import pytest
import shap
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import default_recipes

EVERY = 7  # of the real rows, where trees are walked in shap's own way


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    recipes = default_recipes()
    names = ["logistic", "spline_logistic", "gbm", "blend"]
    return fit_all(build_candidates(names, recipes, contract), telco_columns, telco_target)


@pytest.fixture(scope="module")
def tree_shap(models, telco_columns):
    """Values and base by shap's own C code; left alone, it would ask LightGBM for the answer."""
    model = models["gbm"]
    explainer = shap.TreeExplainer(lightgbm.Booster(model_str=model.trees.text))
    explainer.model.model_type = "internal"
    matrix = np.column_stack([telco_columns[name][::EVERY] for name in model.features])
    values = explainer.shap_values(matrix.astype(float), check_additivity=False)
    return dict(zip(model.features, values.T, strict=True)), float(
        np.ravel(explainer.expected_value)[0]
    )


def linear_shap(telco, columns, target, numbers, c):
    """Values by column of the table, and the base, of scikit-learn's own regression."""
    frame = telco.frame.drop(columns=[telco.contract.id.name, telco.contract.target.name])
    coded = [column.name for column in telco.contract.coded]
    one_hot = OneHotEncoder(categories=[list(col.categories) for col in telco.contract.coded])
    named = [column.name for column in telco.contract.numbers]
    if isinstance(numbers, SplineTransformer):  # the shipped recipe adds its engineered flag
        months = np.array(telco.contract.column("Contract").months)[columns["Contract"]]
        frame = frame.assign(within_first_term=(columns["tenure"] < months).astype(str))
        coded = [*coded, "within_first_term"]
        one_hot = OneHotEncoder(categories=[*one_hot.categories, ["False", "True"]])
    maker = make_column_transformer((one_hot, coded), (numbers, named), sparse_threshold=0)
    design = maker.fit_transform(frame)
    regression = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12).fit(design, target)
    everybody = shap.maskers.Independent(design, max_samples=len(design))
    explanation = shap.LinearExplainer(regression, everybody)(design)
    names = [name.split("__", 1)[1] for name in maker.get_feature_names_out()]
    values = {}
    for column in (*coded, *named):
        mine = [n == column or n.startswith(f"{column}_") for n in names]
        values[column] = explanation.values[:, mine].sum(axis=1)
    return values, float(np.mean(explanation.base_values))


SPLINES = SplineTransformer(n_knots=7, degree=3, knots="quantile", extrapolation="constant")


@pytest.mark.parametrize(
    ("name", "numbers", "c"),
    [("logistic", StandardScaler(), 1.0), ("spline_logistic", SPLINES, 0.2)],
)
def test_terms_of_an_additive_model_are_linear_shap_values(
    models, telco, telco_columns, telco_target, name, numbers, c
):
    model = models[name]
    expected, base = linear_shap(telco, telco_columns, telco_target, numbers, c)
    parts = dict(zip(model.features, model.contributions(telco_columns).T, strict=True))

    assert set(parts) == set(expected)
    for column, values in expected.items():
        assert np.allclose(parts[column], values, rtol=0, atol=1e-6), column
    assert model.base == pytest.approx(base, abs=1e-6)


def test_contributions_of_the_trees_are_tree_shap_values(models, telco_columns, tree_shap):
    model = models["gbm"]
    some = {name: values[::EVERY] for name, values in telco_columns.items()}
    parts = dict(zip(model.features, model.contributions(some).T, strict=True))
    expected, base = tree_shap

    for column, values in expected.items():
        assert np.allclose(parts[column], values, rtol=0, atol=1e-6), column
    assert model.base == pytest.approx(base, abs=1e-6)


def test_contributions_of_the_blend_are_the_mean_of_both(
    models, telco, telco_columns, telco_target, tree_shap
):
    linear, _ = linear_shap(telco, telco_columns, telco_target, SPLINES, 0.2)
    trees, _ = tree_shap
    some = {name: values[::EVERY] for name, values in telco_columns.items()}
    found = models["blend"].contributions(some)
    for column, values in zip(models["blend"].features, found.T, strict=True):
        expected = (linear[column][::EVERY] + trees.get(column, 0.0)) / 2
        assert np.allclose(values, expected, rtol=0, atol=1e-6), column
