"""Counterfactuals: only what can be offered, what follows follows, and sentences that are true."""

import numpy as np
import pytest

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.counterfactuals import CAVEAT, Change, counterfactuals
from churn.explain.offer_rules import OfferRules
from churn.explain.proposals import proposals
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.row_form import TableForm


@pytest.fixture(scope="module")
def model(contract, telco_columns, telco_target):
    recipes = default_recipes()
    candidate = build_candidates(["spline_logistic"], recipes, contract)["spline_logistic"]
    return candidate.fit(telco_columns, telco_target)


@pytest.fixture
def risky(telco_columns):
    """The fifth real customer: month 2, fibre, month to month, electronic check, 70.70 USD."""
    return take(telco_columns, np.array([4]))


def changed(contract, name, **changes):
    content = contract.model_dump(mode="json")
    columns = [c | changes if c["name"] == name else c for c in content["columns"]]
    return DataContract.model_validate(content | {"columns": columns})


def offered(customer, contract, most_changes=1):
    rules = OfferRules.from_contract(contract)
    codes = {name: int(customer[name][0]) for name in rules.columns}
    numbers = {name: float(customer[name][0]) for name in rules.numbers}
    return [
        {name: contract.column(name).categories[code] for name, code in each.codes.items()}
        for each in proposals(codes, numbers, rules, most_changes=most_changes)
    ]


def of_one(*arguments, **options):
    """The counterfactuals of the only customer in a table."""
    (found,) = counterfactuals(*arguments, **options)
    return found


class Weights:
    """Log-odds as a sum of stated weights per column and code."""

    kind = "weights"
    base = 0.0
    features = ("Contract",)

    def __init__(self, start, **weights):
        self.start, self.weights = start, weights

    def logit(self, columns):
        total = np.full(len(columns["tenure"]), self.start)
        for name, values in self.weights.items():
            total += np.array(values)[columns[name]]
        return total

    def row_form(self):
        return TableForm(self.logit, contributions=None)


def test_a_longer_contract_is_proposed_in_a_sentence(contract, risky):
    model = Weights(0.9, Contract=[0.0, -1.4, -2.0])

    answer = of_one(model, risky, contract)

    assert [each.sentence for each in answer.found] == [
        "With a two-year contract the risk falls from 71% to 25%.",
        "With a one-year contract the risk falls from 71% to 38%.",
    ]
    assert answer.caveat == CAVEAT
    assert "not a promised effect" in CAVEAT
    assert answer.found[1].changes == (
        Change(column="Contract", before="Month-to-month", after="One year", follows=False),
    )


def test_what_costs_money_moves_the_bill_by_the_contracts_price(contract, risky):
    model = Weights(0.9, OnlineSecurity=[0.0, -1.4, 0.0])

    (found,) = of_one(model, risky, contract).found

    assert found.sentence == (
        "With the online security option the risk falls from 71% to 38%; the bill rises from "
        "70.70 to 75.70 USD per month."
    )
    assert (found.bill_before, found.bill_after) == (70.7, 75.7)


def test_without_a_price_the_bill_is_held_and_that_is_said(contract, risky):
    unpriced = changed(contract, "OnlineSecurity", prices=[])
    model = Weights(0.9, OnlineSecurity=[0.0, -1.4, 0.0])

    (found,) = of_one(model, risky, unpriced).found

    assert found.sentence.endswith(
        "; the bill is held at 70.70 USD per month, because the price of a service is not known."
    )
    assert found.bill_held
    assert found.bill_after == 70.7


def test_a_held_bill_beside_a_moved_one_is_said(contract, risky):
    unpriced = changed(contract, "OnlineSecurity", prices=[])
    model = Weights(0.9, OnlineSecurity=[0.0, -1.4, 0.0], TechSupport=[0.0, -1.0, 0.0])

    both = of_one(model, risky, unpriced).found[-1]

    assert both.offers == 2
    assert "rises from 70.70 to 75.70 USD per month, the unknown price of a service" in (
        both.sentence
    )


def test_only_offers_of_the_contract_are_proposed(contract, risky):
    assert offered(risky, contract) == [
        {"MultipleLines": "Yes"},
        {"OnlineSecurity": "Yes"},
        {"OnlineBackup": "Yes"},
        {"DeviceProtection": "Yes"},
        {"TechSupport": "Yes"},
        {"StreamingTV": "Yes"},
        {"StreamingMovies": "Yes"},
        {"Contract": "One year"},
        {"Contract": "Two year"},
        {"PaperlessBilling": "No"},
        {"PaymentMethod": "Bank transfer (automatic)"},
        {"PaymentMethod": "Credit card (automatic)"},
    ]


def test_nothing_is_added_to_an_internet_access_that_is_not_there(contract, telco_columns):
    without = np.flatnonzero(telco_columns["InternetService"] == 2)[:1]
    touched = {name for each in offered(take(telco_columns, without), contract, 2) for name in each}

    assert touched == {"MultipleLines", "Contract", "PaperlessBilling", "PaymentMethod"}


def test_what_follows_a_column_follows_and_buys_nothing(contract, telco_columns):
    # Given the first customer, who has no telephone,
    first = take(telco_columns, np.array([0]))
    model = Weights(0.9, PhoneService=[0.0, -1.0])
    # when a telephone line is proposed,
    (found,) = of_one(model, first, contract).found
    # then there is a single line, paid for, and the sentence speaks of the offer alone.
    assert [(c.column, c.after, c.follows) for c in found.changes] == [
        ("PhoneService", "Yes", False),
        ("MultipleLines", "No", True),
    ]
    assert found.sentence.startswith("With a telephone line the risk falls")
    assert found.bill_after == 49.85


def test_an_offer_that_takes_the_internet_away_takes_its_options_too(contract, telco_columns):
    open_contract = changed(contract, "InternetService", offers={"No": "", "DSL": "DSL"})
    silent = open_contract.expectations.model_copy(update={"charges": None})
    open_contract = open_contract.model_copy(update={"expectations": silent})
    fibre = take(telco_columns, np.array([6]))  # with online backup and television streaming

    changes_offered = offered(fibre, open_contract)

    gone = next(each for each in changes_offered if each.get("InternetService") == "No")
    assert set(gone.values()) == {"No", "No internet service"}
    assert len(gone) == 7


def test_a_column_that_would_follow_but_cannot_be_acted_on_forbids_the_offer(
    contract, telco_columns
):
    first = take(telco_columns, np.array([0]))
    bound = changed(contract, "MultipleLines", actionable=False, offers={})

    assert {"PhoneService": "Yes", "MultipleLines": "No"} in offered(first, contract)
    assert not any("PhoneService" in each for each in offered(first, bound, 2))


def test_a_bill_that_would_leave_its_range_or_its_history_is_not_proposed(contract, telco_columns):
    # A customer of six years at 19.85 has paid 1,434 in all: a bill of 100 a month would not fit.
    old = {name: values[:1].copy() for name, values in telco_columns.items()}
    old |= {"tenure": np.array([72.0]), "MonthlyCharges": np.array([29.85])}
    old |= {"TotalCharges": np.array([72 * 29.85])}
    expensive = changed(contract, "TechSupport", prices=[0, 70, 0])
    beyond = changed(contract, "TechSupport", prices=[0, 2000, 0])

    assert {"TechSupport": "Yes"} in offered(old, contract)
    assert {"TechSupport": "Yes"} not in offered(old, expensive)
    assert {"TechSupport": "Yes"} not in offered(old, beyond)


def test_fewest_changes_come_first_then_the_lowest_risk(model, risky, contract):
    answer = of_one(model, risky, contract)

    keys = [(each.offers, each.risk) for each in answer.found]
    assert keys == sorted(keys)
    assert [each.offers for each in answer.found] == [1, 1, 1, 2, 2, 2]
    assert all(each.risk < answer.risk for each in answer.found)


def test_nothing_better_was_overlooked(model, telco_columns, contract):
    """Every pair of offers, applied and scored one at a time by hand."""
    first = take(telco_columns, np.array([4]))
    now = float(model.logit(first)[0])
    prices = {c.name: c.prices for c in contract.coded if c.prices}
    single = [(c, v) for c in contract.coded for v in c.offers]
    best = now
    for one, value in single:
        for other, second in single:
            if one.name == other.name:
                continue
            row = {name: values.copy() for name, values in first.items()}
            bill = 70.7
            for column, category in ((one, value), (other, second)):
                code = column.categories.index(category)
                paid = prices.get(column.name)
                bill += paid[code] - paid[row[column.name][0]] if paid else 0
                row[column.name][0] = code
            row["MonthlyCharges"] = np.array([bill])
            best = min(best, float(model.logit(row)[0]))

    found = of_one(model, first, contract, most=1).found[-1]
    assert np.log(found.risk / (1 - found.risk)) == pytest.approx(best, abs=1e-9)


def test_two_changes_are_proposed_only_where_both_help(contract, risky):
    model = Weights(0.9, Contract=[0.0, -1.4, -1.4], TechSupport=[0.0, 0.0, 0.0])

    answer = of_one(model, risky, contract)

    assert [each.offers for each in answer.found] == [1, 1]


def test_with_a_threshold_the_smallest_changes_that_reach_it_are_proposed(contract, risky):
    model = Weights(
        0.9, Contract=[0.0, -0.6, -1.5], TechSupport=[0.0, -0.8, 0.0], OnlineBackup=[0.0, -0.1, 0]
    )

    answer = of_one(model, risky, contract, threshold=0.4)

    changes_offered = [{c.column: c.after for c in each.changes} for each in answer.found]
    # A two-year contract alone does; with something beside it, it is no smallest change.
    assert changes_offered == [
        {"Contract": "Two year"},
        {"TechSupport": "Yes", "Contract": "One year"},
    ]
    assert answer.reached
    assert answer.sentence.startswith("1 way to bring the risk below 40% by one change. With a two")


def test_a_threshold_that_cannot_be_reached_is_reported_with_the_largest_fall(contract, risky):
    model = Weights(0.9, Contract=[0.0, -0.1, -0.2], TechSupport=[0.0, -0.15, 0.0])

    answer = of_one(model, risky, contract, threshold=0.1)

    assert not answer.reached
    assert answer.sentence.startswith("Nothing on offer brings the risk below 10%. With the tech")
    assert [each.offers for each in answer.found] == [1, 1, 1, 2, 2]


def test_a_risk_below_the_threshold_needs_nothing(contract, risky):
    answer = of_one(Weights(-3.0), risky, contract, threshold=0.4)

    assert answer.found == ()
    assert answer.sentence == "The risk is 5%, below 40% as it is."


def test_where_nothing_helps_that_is_said(contract, risky):
    answer = of_one(Weights(0.9, Contract=[0.0, 1.0, -0.01]), risky, contract)

    assert answer.found == ()
    assert answer.sentence == "No change that the business can offer lowers the risk of 71%."


def test_a_contract_without_offers_is_said_to_have_none(contract, risky):
    columns = tuple(
        each.model_copy(update={"offers": {}}) if hasattr(each, "offers") else each
        for each in contract.columns
    )
    bare = contract.model_copy(update={"columns": columns})

    answer = of_one(Weights(0.9, Contract=[0.0, -1.0, -2.0]), risky, bare)

    assert answer.found == ()
    assert answer.sentence == (
        "The data contract names no offers, so none was tried against the risk of 71%."
    )


def test_a_small_fall_is_shown_with_a_decimal(contract, risky):
    (found,) = of_one(Weights(0.9, Contract=[0, 0, -0.03]), risky, contract).found
    assert found.sentence == "With a two-year contract the risk falls from 71.1% to 70.5%."


def spoilt(customer, **values):
    return customer | {name: np.array([value]) for name, value in values.items()}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"InternetService": 2}, r"'OnlineSecurity' is 'No' where 'InternetService' is 'No'"),
        (
            {"tenure": 900.0},
            r"Column 'tenure' row 1: 900 is not a whole number from 0 to 240 \(months\)",
        ),
        ({"tenure": np.nan}, "Column 'tenure' row 1: nan is not"),
        ({"tenure": 1.5}, "Column 'tenure' row 1: 1.5 is not a whole number"),
        ({"Contract": 3}, "Column 'Contract' row 1: code 3 is none of its 3 categories"),
    ],
)
def test_a_customer_that_cannot_be_is_refused(contract, risky, values, said):
    with pytest.raises(InputError, match=said):
        of_one(Weights(0.9), spoilt(risky, **values), contract)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"threshold": 1.2}, "^threshold is 1.2; give a number"),
        ({"most": 0}, "^most is 0 and most_changes is 2; give most of"),
        ({"most_changes": 3}, "and most_changes is 3; give"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(contract, risky, arguments, said):
    with pytest.raises(InputError, match=said):
        of_one(Weights(0.9), risky, contract, **arguments)


def test_customers_of_a_table_get_what_each_gets_alone(model, contract, telco_columns):
    rows = np.arange(0, 7043, 350)

    together = counterfactuals(model, take(telco_columns, rows), contract, threshold=0.3)

    alone = [take(telco_columns, np.array([row])) for row in rows]
    assert together == [of_one(model, one, contract, threshold=0.3) for one in alone]
    assert {len(each.found) for each in together} > {0}


def test_a_missing_column_is_refused(contract, risky):
    less = {name: values for name, values in risky.items() if name != "PaymentMethod"}
    with pytest.raises(InputError, match="Column 'PaymentMethod' is missing"):
        of_one(Weights(0.9), less, contract)
