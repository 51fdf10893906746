"""Reasons: grouped to the table's columns, in order, in words, the same alone and among many."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.grouping import Grouping, contributions_by_column
from churn.explain.reasons import ReasonCodes, reason_codes
from churn.explain.wording import (
    WEAKEST,
    category_phrases,
    direction,
    number_phrase,
    strength,
)
from churn.features.encoding import take
from churn.features.groups import GROUPS
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import GbmSettings, LogisticSettings, SplineLogisticSettings

RECIPES = {
    "logistic": LogisticSettings(features=GROUPS),
    "spline": SplineLogisticSettings(),
    "gbm": GbmSettings(trees=60, features=GROUPS),
}


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    return fit_all(build_candidates(list(RECIPES), RECIPES, contract), telco_columns, telco_target)


class Stated:
    """A model whose contributions are stated outright."""

    kind = "stated"
    base = -1.0

    def __init__(self, **parts):
        self.features = tuple(parts)
        self.parts = np.array([list(parts.values())], dtype=float)

    def contributions(self, columns):
        return np.repeat(self.parts, len(columns["tenure"]), axis=0)

    def logit(self, columns):
        return self.contributions(columns).sum(axis=1) + self.base


def of_one(*arguments, **options):
    """The reasons of the only customer in a table."""
    (found,) = reason_codes(*arguments, **options)
    return found


@pytest.fixture
def one(telco_columns):
    """The first real customer: a woman, month 1, DSL, month to month, 29.85 USD."""
    return take(telco_columns, np.array([0]))


@pytest.mark.parametrize("name", RECIPES)
def test_grouped_contributions_still_sum_to_the_score(models, telco_columns, contract, name):
    some = take(telco_columns, np.arange(0, 7043, 9))
    parts = contributions_by_column(models[name], some, contract)

    assert set(parts.columns) <= {column.name for column in contract.features}
    total = parts.values.sum(axis=1) + parts.base
    assert np.allclose(total, models[name].logit(some), rtol=0, atol=1e-6)


def test_what_an_engineered_column_adds_is_shared_by_the_columns_it_reads(contract):
    grouping = Grouping.from_features(("tenure", "within_first_term", "tenure_bucket"), contract)

    assert grouping.columns == ("tenure", "Contract")
    assert grouping.group([1.0, 0.5, 0.25]) == [1.5, 0.25]


def test_a_column_of_the_table_may_have_an_engineered_features_name(contract):
    columns = tuple(
        column.model_copy(update={"name": "service_count"}) if column.name == "tenure" else column
        for column in contract.columns
    )
    named = contract.model_copy(update={"columns": columns})

    grouping = Grouping.from_features(("service_count", "Contract", "streaming_count"), named)

    assert grouping.columns == ("service_count", "StreamingTV", "StreamingMovies", "Contract")
    assert grouping.places == ((0,), (3,), (1, 2))


def test_a_feature_from_nowhere_is_refused(contract):
    with pytest.raises(InputError, match="Feature 'shoe_size' is neither a column of contract"):
        Grouping.from_features(("tenure", "shoe_size"), contract)


def test_a_column_the_model_does_not_look_at_is_named(models, telco_columns, contract):
    parts = contributions_by_column(models["spline"], take(telco_columns, np.arange(3)), contract)
    with pytest.raises(InputError, match="does not look at column 'customerID'"):
        parts.column("customerID")


def test_what_can_be_acted_on_comes_first_then_what_else_raises_then_what_lowers(contract, one):
    model = Stated(tenure=0.9, Contract=0.3, InternetService=-0.8, TechSupport=0.1, gender=2.0)

    reasons = of_one(model, one, contract, top=9).reasons

    assert [each.column for each in reasons] == [
        "Contract",
        "TechSupport",
        "tenure",
        "InternetService",
    ]
    assert [each.actionable for each in reasons] == [True, True, False, True]
    assert [each.direction for each in reasons] == ["raises", "raises", "raises", "lowers"]
    assert [each.strength for each in reasons] == ["clear", "slight", "strong", "strong"]
    assert reasons[0].contribution == 0.3
    assert reasons[0].odds_ratio == pytest.approx(1.3499, abs=1e-4)
    assert [each.sentence for each in reasons] == [
        "Pays month to month: customers like this leave more often.",
        "Has no technical support: customers like this leave a little more often.",
        "Is a 1-month customer: customers like this leave much more often.",
        "Has internet access by DSL: customers like this leave much less often.",
    ]


def test_what_hardly_moves_the_risk_is_no_reason(contract, one):
    assert of_one(Stated(Contract=0.049, tenure=-0.01), one, contract).reasons == ()


def test_what_is_withheld_is_still_accounted_for(contract, one):
    model = Stated(gender=0.4, SeniorCitizen=0.3, Partner=-0.1, Contract=0.2)

    found = of_one(model, one, contract)

    assert [each.column for each in found.reasons] == ["Contract"]
    assert found.withheld == pytest.approx(0.6)


@pytest.mark.parametrize("name", RECIPES)
def test_a_customer_alone_hears_the_same_as_among_seven_thousand(
    models, telco_columns, contract, name
):
    many = reason_codes(models[name], telco_columns, contract)
    for row in range(0, 7043, 131):
        alone = take(telco_columns, np.array([row]))
        assert of_one(models[name], alone, contract) == many[row]


def test_reasons_are_those_of_contributions_that_are_sorted_by_hand(
    models, telco_columns, contract
):
    described = {column.name: column for column in contract.features}
    unspoken = {"gender", "SeniorCitizen", "Partner", "Dependents"}
    some = take(telco_columns, np.arange(0, 7043, 53))
    parts = contributions_by_column(models["spline"], some, contract)
    given = reason_codes(models["spline"], some, contract, top=4)

    for row, values in enumerate(parts.values.tolist()):
        fit = [
            (column, value)
            for column, value in zip(parts.columns, values, strict=True)
            if column not in unspoken and abs(value) >= WEAKEST
        ]
        fit.sort(key=lambda e: (e[1] <= 0, e[1] > 0 and not described[e[0]].actionable, -abs(e[1])))
        assert [(each.column, each.contribution) for each in given[row].reasons] == fit[:4]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_contributions_are_ranked_as_the_rules_say(contract, one, data):
    # Many are alike, or as large as a border between two strengths: ties and edges count.
    sizes = st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.1, 0.049999999]) | st.floats(0, 2)
    signed = st.tuples(sizes, st.sampled_from([1.0, -1.0])).map(lambda pair: pair[0] * pair[1])
    columns = [column.name for column in contract.features]
    parts = data.draw(st.lists(signed, min_size=len(columns), max_size=len(columns)))
    top = data.draw(st.integers(1, 6))
    values = [one[name][0].item() for name in columns]

    found = ReasonCodes(columns, contract).customer(values, parts, top)

    unspoken = {"gender", "SeniorCitizen", "Partner", "Dependents"}
    actionable = {column.name for column in contract.features if column.actionable}
    fit = [
        (name, part)
        for name, part in zip(columns, parts, strict=True)
        if name not in unspoken and abs(part) >= WEAKEST
    ]
    fit.sort(key=lambda e: (e[1] <= 0, e[1] > 0 and e[0] not in actionable, -abs(e[1])))
    assert [(each.column, each.contribution) for each in found.reasons] == fit[:top]
    hidden = [part for name, part in zip(columns, parts, strict=True) if name in unspoken]
    assert found.withheld == pytest.approx(sum(hidden))


def test_a_contract_without_words_still_gives_sentences(contract, one):
    spoken = {"actionable", "phrases", "phrase", "offers", "prices"}
    content = contract.model_dump(mode="json")
    columns = [{k: v for k, v in c.items() if k not in spoken} for c in content["columns"]]
    silent = DataContract.model_validate(content | {"columns": columns})

    reasons = of_one(Stated(Contract=0.3, MonthlyCharges=-0.2), one, silent).reasons

    assert [each.sentence for each in reasons] == [
        "Contract is Month-to-month: customers like this leave more often.",
        "MonthlyCharges of 29.85 USD per month: customers like this leave less often.",
    ]


def test_numbers_are_written_as_people_write_them(contract):
    tenure, bill, total = (contract.column(n) for n in ("tenure", "MonthlyCharges", "TotalCharges"))
    assert number_phrase(tenure, 12.0) == "Is a 12-month customer"
    assert number_phrase(bill, 70.7) == "Monthly bill of 70.70 USD"
    assert number_phrase(total, 3046.05) == "3,046.05 USD billed so far"


def test_a_category_without_words_is_named_by_its_column(contract):
    gender = contract.column("gender").model_copy(update={"phrases": ()})
    assert category_phrases(gender) == ("gender is Female", "gender is Male")


@pytest.mark.parametrize(
    ("contribution", "way", "how"),
    [
        (0.05, "raises", "slight"),
        (-0.1999, "lowers", "slight"),
        (0.2, "raises", "clear"),
        (-0.4999, "lowers", "clear"),
        (0.5, "raises", "strong"),
        (-3.0, "lowers", "strong"),
    ],
)
def test_words_follow_the_stated_thresholds(contribution, way, how):
    assert (direction(contribution), strength(contribution)) == (way, how)


def test_asking_for_no_reasons_is_refused(contract, one):
    with pytest.raises(InputError, match=r"^top is 0; give 1 or more"):
        reason_codes(Stated(Contract=0.3), one, contract, top=0)
