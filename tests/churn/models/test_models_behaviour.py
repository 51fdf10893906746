"""What a churn model must and must not do, whatever its figures."""

import warnings

import numpy as np
import pytest
from scipy.special import expit

from churn.errors import InputError
from churn.features.encoding import encode, take
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import default_recipes

GENDER_BOUNDS = {"logistic": 0.01, "spline_logistic": 0.01, "gbm": 0.07, "blend": 0.04}
"""By how much swapping the recorded gender may move anybody's probability."""

GENDER_MEAN_BOUND = 0.01
"""By how much it may move probabilities on average."""


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    recipes = default_recipes()
    candidates = build_candidates(list(recipes), recipes, contract)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fit that warns is a fit that is not right
        return fit_all(candidates, telco_columns, telco_target)


EVERY = list(default_recipes())


def test_a_longer_tenure_never_raises_the_trees_risk(models, telco_columns):
    some = {name: values[::10] for name, values in telco_columns.items()}
    before = np.full(len(some["tenure"]), np.inf)
    for months in range(73):
        risk = models["gbm"].logit(some | {"tenure": np.full(len(before), float(months))})
        assert (risk <= before).all(), f"month {months}"
        before = risk


def test_a_longer_tenure_can_raise_the_blends_risk(models, telco_columns):
    # given a customer with a one-year contract, whose first term ends with month 12
    customer = {name: values[5391:5392] for name, values in telco_columns.items()}
    assert customer["Contract"][0] == 1

    def risk(name, months):
        return expit(models[name].logit(customer | {"tenure": np.array([months])})[0])

    # then the trees never rise, and the blend does with its other half
    assert risk("gbm", 12.0) <= risk("gbm", 11.0)
    assert (round(risk("blend", 11.0), 3), round(risk("blend", 12.0), 3)) == (0.196, 0.256)
    assert risk("spline_logistic", 12.0) > risk("spline_logistic", 11.0)


def test_a_longer_term_lowers_the_risk(models, telco_columns):
    by_term = [
        models["blend"].logit(telco_columns | {"Contract": np.full(7043, term, dtype=np.int8)})
        for term in range(3)
    ]
    assert (by_term[0] > by_term[1]).all()
    assert by_term[1].mean() > by_term[2].mean()


def test_gender_hardly_moves_a_score(models, telco_columns):
    swapped = telco_columns | {"gender": (1 - telco_columns["gender"]).astype(np.int8)}
    for name, bound in GENDER_BOUNDS.items():
        moved = expit(models[name].logit(swapped)) - expit(models[name].logit(telco_columns))
        assert 0 < np.abs(moved).max() < bound, name
        assert np.abs(moved).mean() < GENDER_MEAN_BOUND, name


@pytest.mark.parametrize("name", EVERY)
def test_the_order_of_customers_does_not_matter(models, telco_columns, name):
    order = np.random.default_rng(1).permutation(7043)
    model, shuffled = models[name], take(telco_columns, order)
    assert np.array_equal(model.logit(shuffled), model.logit(telco_columns)[order])
    few = order[:500]
    parts = model.contributions(take(telco_columns, np.sort(few)))
    found = model.contributions(take(telco_columns, few))
    assert np.array_equal(found, parts[np.argsort(np.argsort(few))])


@pytest.mark.parametrize("name", EVERY)
def test_customers_with_the_same_features_have_the_same_score(models, telco_columns, name):
    table = np.column_stack(list(telco_columns.values()))
    _, group = np.unique(table, axis=0, return_inverse=True)
    score = models[name].logit(telco_columns)
    lowest = np.full(group.max() + 1, np.inf)
    highest = np.full(group.max() + 1, -np.inf)
    np.minimum.at(lowest, group, score)
    np.maximum.at(highest, group, score)
    assert len(lowest) < 7043
    assert np.array_equal(lowest, highest)


def test_a_blend_is_the_mean_of_its_members(models, telco_columns):
    members = [models["spline_logistic"].logit(telco_columns), models["gbm"].logit(telco_columns)]
    assert np.array_equal(models["blend"].logit(telco_columns), (members[0] + members[1]) / 2)

    some = take(telco_columns, np.arange(0, 7043, 20))
    parts = {
        name: dict(zip(models[name].features, models[name].contributions(some).T, strict=True))
        for name in ("blend", "spline_logistic", "gbm")
    }
    for feature, blended in parts["blend"].items():
        members = [parts[name].get(feature, 0.0) for name in ("spline_logistic", "gbm")]
        assert np.allclose(blended, (members[0] + members[1]) / 2, rtol=0, atol=1e-12)


def test_an_unseen_category_is_refused_by_the_encoder(contract, telco):
    frame = telco.frame.iloc[:5].copy()
    frame["Contract"] = frame["Contract"].astype(str)
    frame.loc[frame.index[3], "Contract"] = "Biennial"
    with pytest.raises(InputError, match="'Contract' row 4: 'Biennial' is not one of Month-to-"):
        encode(frame, contract)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("code", [-1, 3])
def test_an_unseen_code_is_refused_by_every_model(models, telco_columns, name, code):
    wrong = telco_columns | {"Contract": telco_columns["Contract"].copy()}
    wrong["Contract"][9] = code
    for ask in (models[name].logit, models[name].contributions):
        with pytest.raises(InputError, match=f"'Contract' row 10: code {code} is none of"):
            ask(wrong)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused_by_every_model(models, telco_columns, name, number):
    wrong = telco_columns | {"MonthlyCharges": telco_columns["MonthlyCharges"].copy()}
    wrong["MonthlyCharges"][9] = number
    for ask in (models[name].logit, models[name].contributions):
        with pytest.raises(InputError, match=f"'MonthlyCharges' row 10: {number} is no number"):
            ask(wrong)


@pytest.mark.parametrize("name", EVERY)
def test_a_missing_column_is_named_by_every_model(models, telco_columns, name):
    less = {column: v for column, v in telco_columns.items() if column != "PaymentMethod"}
    with pytest.raises(InputError, match="Column 'PaymentMethod' is missing"):
        models[name].logit(less)


def test_balanced_weights_gain_no_ranking_and_spoil_the_chances(
    models, telco_columns, telco_target
):
    from sklearn.metrics import roc_auc_score

    plain, balanced = (models[name].logit(telco_columns) for name in EVERY[:2])
    gained = roc_auc_score(telco_target, balanced) - roc_auc_score(telco_target, plain)
    assert abs(gained) < 0.001
    assert expit(plain).mean() == pytest.approx(telco_target.mean(), abs=1e-6)
    assert expit(balanced).mean() > telco_target.mean() + 0.1
