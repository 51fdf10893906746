"""What explanations must and must not say about the real customers, whatever the recipe."""

import numpy as np
import pytest

from churn.contract import Role
from churn.explain.counterfactuals import counterfactuals
from churn.explain.grouping import contributions_by_column
from churn.explain.reasons import reason_codes
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import default_recipes

EVERY = list(default_recipes())


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    recipes = default_recipes()
    return fit_all(build_candidates(EVERY, recipes, contract), telco_columns, telco_target)


@pytest.mark.parametrize("name", EVERY)
def test_contributions_by_column_sum_to_the_score_of_every_customer(
    models, telco_columns, contract, name
):
    parts = contributions_by_column(models[name], telco_columns, contract)
    expected = models[name].logit(telco_columns) - models[name].base
    assert np.allclose(parts.values.sum(axis=1), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_who_somebody_is_never_is_a_reason(models, telco_columns, contract, name):
    personal = {
        column.name
        for role in (Role.SENSITIVE, Role.HOUSEHOLD)
        for column in contract.with_role(role)
    }
    given = [
        reason
        for customer in reason_codes(models[name], telco_columns, contract, top=19)
        for reason in customer.reasons
    ]

    assert personal == {"gender", "SeniorCitizen", "Partner", "Dependents"}
    assert "gender" in models[name].features
    assert given
    assert not {reason.column for reason in given} & personal
    words = " ".join({reason.sentence for reason in given}).lower()
    assert not [w for w in ("gender", "male", "senior", "partner", "dependents") if w in words]


@pytest.mark.parametrize("name", EVERY)
def test_every_leaver_at_high_risk_is_given_something_to_act_on(
    models, telco_columns, contract, name
):
    risky = take(telco_columns, np.flatnonzero(models[name].logit(telco_columns) > 0))
    first = [customer.reasons[0] for customer in reason_codes(models[name], risky, contract)]

    assert len(first) > 500
    assert all(reason.actionable and reason.contribution > 0 for reason in first)


@pytest.mark.parametrize("name", EVERY)
def test_a_longer_contract_lowers_every_real_customers_risk(models, telco_columns, name):
    # The trees are not constrained in the contract's term: this holds on the real table, for all
    # 7,043 customers and every shipped recipe.
    by_term = [
        models[name].logit(telco_columns | {"Contract": np.full(7043, term, dtype=np.int8)})
        for term in range(3)
    ]
    assert (by_term[1] < by_term[0]).mean() == 1
    assert (by_term[2] < by_term[1]).mean() == 1


def test_a_longer_contract_is_proposed_to_those_who_pay_month_to_month(
    models, telco_columns, contract
):
    risky = np.flatnonzero(
        (telco_columns["Contract"] == 0) & (models["blend"].logit(telco_columns) > 0)
    )
    assert len(risky) > 400
    for row in risky[::40]:
        (answer,) = counterfactuals(models["blend"], take(telco_columns, np.array([row])), contract)
        single = [each for each in answer.found if each.offers == 1]
        terms = [c.after for each in single for c in each.changes if c.column == "Contract"]
        assert terms[:1] == ["Two year"]
        assert single[0].risk < answer.risk


def test_nothing_is_ever_proposed_that_nobody_can_change(models, telco_columns, contract):
    fixed = {"gender", "SeniorCitizen", "Partner", "Dependents", "tenure", "TotalCharges"}
    customers = take(telco_columns, np.arange(0, 7043, 350))
    answers = counterfactuals(models["blend"], customers, contract)
    changed = {c.column for answer in answers for each in answer.found for c in each.changes}

    assert "Contract" in changed
    assert not changed & fixed
