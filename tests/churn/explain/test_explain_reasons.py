"""Reasons: grouped to the table's columns, in order, in words, the same alone and among many."""

import numpy as np
import pytest

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.grouping import Grouping, contributions_by_column
from churn.explain.reasons import ReasonCodes, reasons, reasons_of_one
from churn.explain.wording import WEAKEST, direction, phrases, strength
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import GbmSettings, LogisticSettings, SplineLogisticSettings

EVERYTHING = ("tenure", "commitment", "revenue", "services")
RECIPES = {
    "logistic": LogisticSettings(features=EVERYTHING),
    "spline": SplineLogisticSettings(),
    "gbm": GbmSettings(trees=60, features=EVERYTHING),
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
    grouping = Grouping.of(("tenure", "within_first_term", "tenure_bucket"), contract)

    assert grouping.columns == ("tenure", "Contract")
    assert grouping(np.array([[1.0, 0.5, 0.25]])).tolist() == [[1.5, 0.25]]


def test_a_feature_from_nowhere_is_refused(contract):
    with pytest.raises(InputError, match="Feature 'shoe_size' is neither a column of contract"):
        Grouping.of(("tenure", "shoe_size"), contract)


def test_a_column_the_model_does_not_look_at_is_named(models, telco_columns, contract):
    parts = contributions_by_column(models["spline"], take(telco_columns, np.arange(3)), contract)
    with pytest.raises(InputError, match="does not look at column 'customerID'"):
        parts.of("customerID")


def test_what_can_be_acted_on_comes_first_then_what_else_raises_then_what_lowers(contract, one):
    model = Stated(tenure=0.9, Contract=0.3, InternetService=-0.8, TechSupport=0.1, gender=2.0)

    told = reasons_of_one(model, one, contract, top=9)

    assert [each.column for each in told] == [
        "Contract",
        "TechSupport",
        "tenure",
        "InternetService",
    ]
    assert [each.actionable for each in told] == [True, True, False, True]
    assert [each.direction for each in told] == ["raises", "raises", "raises", "lowers"]
    assert [each.strength for each in told] == ["clear", "slight", "strong", "strong"]
    assert told[0].contribution == 0.3
    assert told[0].odds_ratio == pytest.approx(1.3499, abs=1e-4)
    assert [each.sentence for each in told] == [
        "Pays month to month: customers like this leave more often.",
        "Has no technical support: customers like this leave a little more often.",
        "Is a 1-month customer: customers like this leave much more often.",
        "Has internet access by DSL: customers like this leave much less often.",
    ]


def test_what_hardly_moves_the_risk_is_no_reason(contract, one):
    table = reasons(Stated(Contract=0.049, tenure=-0.01), one, contract)

    assert table.of(0) == ()
    assert table.sentences.tolist() == [["", ""]]


def test_what_is_withheld_is_still_accounted_for(contract, one):
    model = Stated(gender=0.4, SeniorCitizen=0.3, Partner=-0.1, Contract=0.2)

    table = reasons(model, one, contract)

    assert [each.column for each in table.of(0)] == ["Contract"]
    assert table.withheld[0] == pytest.approx(0.6)


@pytest.mark.parametrize("name", RECIPES)
def test_a_customer_alone_hears_the_same_as_among_seven_thousand(
    models, telco_columns, contract, name
):
    many = reasons(models[name], telco_columns, contract)
    for row in range(0, 7043, 131):
        alone = take(telco_columns, np.array([row]))
        assert reasons_of_one(models[name], alone, contract) == many.of(row)


def test_vectorised_reasons_are_what_a_plain_loop_would_tell(models, telco_columns, contract):
    described = {column.name: column for column in contract.features}
    unspoken = {"gender", "SeniorCitizen", "Partner", "Dependents"}
    some = take(telco_columns, np.arange(0, 7043, 53))
    parts = contributions_by_column(models["spline"], some, contract)
    told = ReasonCodes.of(models["spline"], contract).told(parts, some, 4)

    for row, values in enumerate(parts.values.tolist()):
        fit = [
            (column, value)
            for column, value in zip(parts.columns, values, strict=True)
            if column not in unspoken and abs(value) >= WEAKEST
        ]
        fit.sort(key=lambda e: (e[1] <= 0, e[1] > 0 and not described[e[0]].actionable, -abs(e[1])))
        assert [(each.column, each.contribution) for each in told.of(row)] == fit[:4]


def test_a_contract_without_words_still_gives_sentences(contract, one):
    spoken = {"actionable", "phrases", "phrase", "offers", "prices"}
    content = contract.model_dump(mode="json")
    columns = [{k: v for k, v in c.items() if k not in spoken} for c in content["columns"]]
    silent = DataContract.model_validate(content | {"columns": columns})

    told = reasons_of_one(Stated(Contract=0.3, MonthlyCharges=-0.2), one, silent)

    assert [each.sentence for each in told] == [
        "Contract is Month-to-month: customers like this leave more often.",
        "MonthlyCharges of 29.85 USD per month: customers like this leave less often.",
    ]


def test_numbers_are_written_as_people_write_them(contract):
    tenure, bill, total = (contract.column(n) for n in ("tenure", "MonthlyCharges", "TotalCharges"))
    assert phrases(tenure, np.array([12.0])).tolist() == ["Is a 12-month customer"]
    assert phrases(bill, np.array([70.7])).tolist() == ["Monthly bill of 70.70 USD"]
    assert phrases(total, np.array([3046.05])).tolist() == ["3,046.05 USD billed so far"]


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


def test_asking_for_no_reasons_or_for_several_customers_is_refused(contract, one, telco_columns):
    model = Stated(Contract=0.3)
    with pytest.raises(InputError, match="Asked for 0 reasons"):
        reasons(model, one, contract, top=0)
    with pytest.raises(InputError, match="holds 7043 rows where one customer was asked about"):
        reasons_of_one(model, telco_columns, contract)
