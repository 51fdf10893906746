"""Laws of counterfactuals and reasons, on generated customers, contracts and models."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from churn.contract import UNCHANGEABLE, DataContract
from churn.data.quality.implication_rules import find_implications
from churn.explain.counterfactuals import counterfactuals
from churn.explain.grouping import contributions_by_column
from churn.explain.reasons import reason_codes
from churn.explain.wording import WEAKEST
from churn.features.encoding import encode, take
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import GbmSettings, LogisticSettings, SplineLogisticSettings

RECIPES = {
    "logistic": LogisticSettings(features=("services", "revenue")),
    "spline": SplineLogisticSettings(),
    "gbm": GbmSettings(trees=40, features=("commitment",)),
}


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    return fit_all(build_candidates(list(RECIPES), RECIPES, contract), telco_columns, telco_target)


def everything_on_offer(contract: DataContract) -> DataContract:
    """The same business, offering every category of every column that it can act on."""
    content = contract.model_dump(mode="json")
    for column in content["columns"]:
        if column.get("actionable") and column["kind"] != "number":
            values = column.get("categories") or [column["no_value"], column["yes_value"]]
            column["offers"] = dict.fromkeys(values, "")
            if column["name"] == "StreamingTV":
                column["prices"] = []
    return DataContract.model_validate(content)


@st.composite
def customers(draw, contract: DataContract) -> dict[str, np.ndarray]:
    """A customer who keeps to the contract, however odd."""
    codes = {
        column.name: draw(st.integers(0, len(column.categories) - 1), label=column.name)
        for column in contract.coded
    }
    for rule in contract.expectations.implications:
        column, lead = contract.column(rule.column), contract.column(rule.follows_column)
        value = column.categories.index(rule.value)
        if lead.categories[codes[lead.name]] == rule.follows_value:
            codes[column.name] = value
        elif codes[column.name] == value:
            codes[column.name] = 0
    tenure, bill = draw(st.integers(0, 100)), draw(st.integers(0, 100_000)) / 100
    total = draw(st.one_of(st.just(min(tenure * bill, 1e5)), st.floats(0, 1e5)))
    numbers = {"tenure": tenure, "MonthlyCharges": bill, "TotalCharges": total}
    return {name: np.array([code], dtype=np.int8) for name, code in codes.items()} | {
        name: np.array([float(value)]) for name, value in numbers.items()
    }


def changed_row(customer, counterfactual, contract):
    """The customer in raw values, with the changes and the bill that a counterfactual states."""
    row = {c.name: c.categories[customer[c.name][0]] for c in contract.coded}
    row |= {c.name: customer[c.name][0] for c in contract.numbers}
    row |= {change.column: change.after for change in counterfactual.changes}
    return row | {"MonthlyCharges": counterfactual.bill_after}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("offers", ["shipped", "everything"])
@settings(max_examples=25)
@given(data=st.data())
def test_every_proposal_is_possible_allowed_and_scored_truly(contract, models, name, offers, data):
    business = contract if offers == "shipped" else everything_on_offer(contract)
    customer = data.draw(customers(business))
    threshold = data.draw(st.one_of(st.none(), st.floats(0.02, 0.9)))
    (answer,) = counterfactuals(models[name], customer, business, threshold=threshold)

    frame = pd.DataFrame([changed_row(customer, each, business) for each in answer.found])
    for place, each in enumerate(answer.found):
        # The stated risk is the model's score of the stated row, bit for bit.
        row = encode(frame.iloc[[place]], business)
        assert each.risk == expit(models[name].logit(row))[0]
        assert each.risk < answer.risk
        # Only what can be acted on has changed, and every change is told.
        differing = {c for c, values in row.items() if values[0] != customer[c][0]}
        assert differing - {"MonthlyCharges"} == {change.column for change in each.changes}
        for column in differing:
            assert business.column(column).actionable
            assert not UNCHANGEABLE.intersection(business.column(column).roles)
        for change in each.changes:
            assert change.follows or change.after in business.column(change.column).offers
        # The bill moves by the prices of what has changed.
        prices = [(business.column(c.column), c) for c in each.changes]
        moved = sum(
            col.prices[col.categories.index(c.after)] - col.prices[col.categories.index(c.before)]
            for col, c in prices
            if col.prices
        )
        assert each.bill_after == pytest.approx(each.bill_before + moved, abs=0.006)
    # Every row keeps to the contract: its ties by the quality gate's own rule, its ranges.
    if len(frame):
        for implication in find_implications(business):
            assert set(implication.pairs(frame)) <= set(implication.allowed)
        for number in business.numbers:
            assert frame[number.name].between(number.minimum, number.maximum).all()
    offers_made = [frozenset((c.column, c.after) for c in e.changes) for e in answer.found]
    assert len(set(offers_made)) == len(offers_made)
    if threshold is not None and answer.reached:
        assert all(each.risk < threshold for each in answer.found)


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=25)
@given(data=st.data())
def test_reasons_account_for_the_whole_score_alone_and_among_others(contract, models, name, data):
    people = [data.draw(customers(contract)) for _ in range(data.draw(st.integers(1, 4)))]
    together = {c: np.concatenate([one[c] for one in people]) for c in people[0]}
    model = models[name]
    codes = reason_codes(model, together, contract, top=30)
    parts = contributions_by_column(model, together, contract)

    left_over = np.where(np.abs(parts.values) < WEAKEST, parts.values, 0.0)
    hidden = [
        p
        for p, c in enumerate(parts.columns)
        if c in {"gender", "SeniorCitizen", "Partner", "Dependents"}
    ]
    left_over[:, hidden] = 0.0
    given = [sum(r.contribution for r in one.reasons) + one.withheld for one in codes]
    whole = np.array(given) + left_over.sum(axis=1)
    assert np.allclose(whole, model.logit(together) - model.base, rtol=0, atol=1e-6)
    for row in range(len(people)):
        alone = take(together, np.array([row]))
        assert reason_codes(model, alone, contract, top=30) == [codes[row]]
        raising = [each.contribution > 0 for each in codes[row].reasons]
        assert raising == sorted(raising, reverse=True)
