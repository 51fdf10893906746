import math
import re
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from churn.contract import BlankRule, CategoryColumn, NumberColumn
from churn.errors import InputError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel
from churn.models.trees.native_trees import NativeTrees
from churn.scoring import FieldError, Scorer
from churn.scoring.bundle import Threshold, write_bundle
from churn.scoring.encoder import RowEncoder

CUSTOMER = {
    "gender": "Female", "SeniorCitizen": 0, "Partner": "Yes", "Dependents": "No", "tenure": 12,
    "PhoneService": "Yes", "MultipleLines": "No", "InternetService": "Fiber optic",
    "OnlineSecurity": "No", "OnlineBackup": "Yes", "DeviceProtection": "No", "TechSupport": "No",
    "StreamingTV": "Yes", "StreamingMovies": "No", "Contract": "Month-to-month",
    "PaperlessBilling": "Yes", "PaymentMethod": "Electronic check", "MonthlyCharges": 84.45,
    "TotalCharges": 1013.4,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(contract, telco_columns, telco_target, tmp_path_factory):
    recipes = default_recipes() | {"gbm": GbmSettings(trees=20)}
    trained = TrainedModel.train(
        build_candidates(["blend"], recipes, contract)["blend"],
        telco_columns,
        telco_target,
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes["blend"],
    )
    return write_bundle(
        tmp_path_factory.mktemp("bundle") / "1", trained, telco_columns, name="churn",
        version="v1", threshold=Threshold(value=0.5, basis="for the test"), metrics={},
    )  # fmt: skip


@pytest.fixture(scope="module")
def scorer(folder):
    return Scorer.load(folder)


def refusal(scorer, customer):
    with pytest.raises(FieldError) as error:
        scorer.score_one(customer)
    assert "\n" not in str(error.value)
    return error.value


def test_a_score_has_probability_logit_decision_and_version(scorer):
    score = scorer.score_one(CUSTOMER)
    assert score.probability == pytest.approx(1 / (1 + math.exp(-score.logit)), abs=1e-15)
    assert score.decision is (score.probability >= 0.5)
    assert score.version == "v1"
    assert type(score.logit) is type(score.probability) is float
    with pytest.raises(AttributeError):
        score.probability = 0.0


def test_the_decision_changes_at_the_threshold(scorer, telco_columns):
    scores = scorer.score_many(telco_columns)
    assert np.array_equal(scores.decision, scores.probability >= 0.5)
    assert 0 < scores.decision.sum() < 7043
    assert scores.version == "v1"


@pytest.mark.parametrize(
    "same",
    [
        {"tenure": "12"}, {"tenure": 12.0}, {"tenure": " 12 "}, {"tenure": "1.2e1"},
        {"tenure": "+12"}, {"tenure": np.int64(12)}, {"MonthlyCharges": "84.45"},
        {"MonthlyCharges": np.float64(84.45)}, {"SeniorCitizen": "0"},
        {"SeniorCitizen": np.int64(0)}, {"gender": " Female "}, {"customerID": "0001-ABCDE"},
        {"customerID": None},
    ],
)  # fmt: skip
def test_other_spellings_of_the_same_customer_score_the_same(scorer, same):
    assert scorer.score_one(CUSTOMER | same) == scorer.score_one(CUSTOMER)


def test_any_mapping_will_do_and_none_is_changed(scorer):
    expected = scorer.score_one(CUSTOMER)
    lazy = defaultdict(lambda: "No", CUSTOMER)
    assert scorer.score_one(MappingProxyType(CUSTOMER)) == expected
    assert scorer.score_one(lazy) == expected
    del lazy["Partner"]
    assert refusal(scorer, lazy).field == "Partner"
    assert "Partner" not in lazy


def test_the_order_of_the_fields_does_not_matter(scorer):
    turned = dict(reversed(CUSTOMER.items()))
    assert scorer.score_one(turned) == scorer.score_one(CUSTOMER)


def test_a_blank_that_is_left_out_is_a_blank(scorer):
    new = CUSTOMER | {"tenure": 0, "TotalCharges": 0}
    shorter = {name: value for name, value in new.items() if name != "TotalCharges"}

    assert scorer.score_one(shorter) == scorer.score_one(new)
    assert str(refusal(scorer, shorter | {"tenure": 1})) == (
        "Field 'TotalCharges' is missing, which is allowed only where 'tenure' is 0. Give a number "
        "from 0 to 100000 (USD)."
    )
    assert refusal(scorer, shorter | {"tenure": "x"}).field == "tenure"


def test_all_missing_fields_are_named_at_once(scorer):
    few = {
        name: CUSTOMER[name] for name in CUSTOMER if name not in ("gender", "tenure", "Contract")
    }
    error = refusal(scorer, few)
    assert str(error) == ("Fields 'gender', 'tenure', 'Contract' are missing. Give all of them.")
    assert error.field == "gender"


@pytest.mark.parametrize("name", CUSTOMER)
def test_a_missing_field_is_named_with_what_it_takes(scorer, contract, name):
    error = refusal(scorer, {key: value for key, value in CUSTOMER.items() if key != name})
    column = contract.column(name)
    allowed = f"{column.maximum:g}" if isinstance(column, NumberColumn) else column.categories[-1]
    assert re.match(
        f"Field '{name}' is missing(, which is allowed only where .*)?. Give ", str(error)
    )
    assert allowed in error.allowed
    assert (error.field, error.value) == (name, "")


def test_an_unknown_field_is_named_and_the_near_one_suggested(scorer):
    error = refusal(scorer, CUSTOMER | {"Tenure": 12})
    assert str(error) == "Field 'Tenure' is not in the contract; did you mean 'tenure'?"
    assert error.field == "Tenure"

    error = refusal(scorer, CUSTOMER | {"zip": "90210"})
    assert str(error).startswith("Field 'zip' is not in the contract; the fields are gender, ")
    assert "customerID" not in error.allowed
    assert refusal(scorer, CUSTOMER | {7: "x"}).field == "7"
    assert (
        refusal(scorer, CUSTOMER | {"a": 1, "b": 2, "c": 3, "d": 4})
        .args[0]
        .startswith(
            "Fields 'a', 'b', 'c' and 1 more are not in the contract; the fields are gender, "
        )
    )


def test_an_unknown_field_is_named_before_a_missing_one(scorer):
    renamed = {"Contracts" if name == "Contract" else name: v for name, v in CUSTOMER.items()}
    assert str(refusal(scorer, renamed)) == (
        "Field 'Contracts' is not in the contract; did you mean 'Contract'?"
    )


@pytest.mark.parametrize(
    "rename",
    [str.lower, str.upper, lambda name: re.sub("(?<=[a-z])(?=[A-Z])", " ", name).title()],
    ids=["lower", "upper", "spaces"],
)
def test_fields_that_are_renamed_throughout_are_named_for_what_they_are(scorer, rename):
    error = refusal(scorer, {rename(name): value for name, value in CUSTOMER.items()})
    assert str(error).startswith("The contract spells fields otherwise: '")
    assert f"'{rename('Dependents')}' is 'Dependents'" in str(error) or "more" in str(error)
    assert str(error).endswith(" more. Rename them.")


def test_the_answer_may_not_be_handed_in(scorer):
    error = refusal(scorer, CUSTOMER | {"Churn": "Yes"})
    assert str(error) == (
        "Field 'Churn' is what is to be predicted. Leave it out, or let the request say ignore=target."
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Biennial", "'Biennial'"), ("one year", "'one year'"), ("", "''"), (None, "null"),
        (1, "1"), (True, "True"), (1.5, "1.5"), (["One year"], "a list"), ({}, "an object"),
        ("\ud800", r"'\ud800'"), pytest.param("x" * 1_000_000, "'" + "x" * 40 + "…'", id="long"), ("a\nb", r"'a\nb'"),
        pytest.param(10**5000, "a whole number of 16,610 bits", id="endless"), (b"One year", "a bytes"),
        (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_category_is_named_with_those_that_are(scorer, value, shown):
    error = refusal(scorer, CUSTOMER | {"Contract": value})
    assert str(error) == (
        f"Field 'Contract': {shown} is not one of Month-to-month, One year, Two year."
    )
    assert (error.field, error.value) == ("Contract", shown)
    assert error.allowed == "Month-to-month, One year, Two year"


@pytest.mark.parametrize(
    "value", [2, "2", "Yes", -1, 0.5, "1.5", "01", "+1", 1e300, Decimal("NaN")]
)
def test_a_flag_spelt_with_digits_takes_those_digits_only(scorer, value):
    error = refusal(scorer, CUSTOMER | {"SeniorCitizen": value})
    assert error.allowed == "0, 1"
    assert str(error).endswith(" is not one of 0, 1. Give 0 or false for no, 1 or true for yes.")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (True, 1), (False, 0), ("true", 1), (" False ", 0), ("TRUE", 1), (1.0, 1), (-0.0, 0),
        ("1.0", 1), ("0.000000000000000000", 0), ("0E-18", 0), (Decimal("1.000"), 1),
        (np.float32(1), 1), (np.int8(0), 0),
    ],
)  # fmt: skip
def test_a_flag_takes_booleans_and_whole_numbers_of_any_type(scorer, value, code):
    assert scorer.score_one(CUSTOMER | {"SeniorCitizen": value}) == scorer.score_one(
        CUSTOMER | {"SeniorCitizen": code}
    )


@pytest.mark.parametrize(("value", "text"), [(True, "Yes"), ("false", "No")])
def test_a_flag_of_words_takes_booleans_and_no_digits(scorer, value, text):
    assert scorer.score_one(CUSTOMER | {"Partner": value}) == scorer.score_one(
        CUSTOMER | {"Partner": text}
    )
    for digit in (0, 1, "1"):
        assert refusal(scorer, CUSTOMER | {"Partner": digit}).field == "Partner"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("tenure", -1, "-1 is outside 0 to 240"),
        ("tenure", 241, "241 is outside 0 to 240"),
        ("tenure", "241", "'241' is outside 0 to 240"),
        ("tenure", 10**400, "a whole number of 1,329 bits is not a finite number"),
        ("tenure", -(10**400), "a whole number of 1,329 bits is not a finite number"),
        ("tenure", 1.5, "1.5 is not a whole number of months"),
        ("tenure", "1.5", "'1.5' is not a whole number of months"),
        ("tenure", True, "True is not a number"),
        ("tenure", [12], "a list is not a number"),
        ("tenure", "twelve", "'twelve' is not a number"),
        ("tenure", "१२", "'१२' is not a number"),
        ("tenure", "1_2", "'1_2' is not a number"),
        ("tenure", "12\n", None),
        ("tenure", None, "null is blank"),
        ("tenure", "  ", "'  ' is blank"),
        ("MonthlyCharges", float("nan"), "nan is not a finite number"),
        ("MonthlyCharges", float("inf"), "inf is not a finite number"),
        ("MonthlyCharges", "nan", "'nan' is blank"),
        ("MonthlyCharges", "-nan", "'-nan' is not a number"),
        ("MonthlyCharges", "-", "'-' is not a number"),
        ("MonthlyCharges", "1e999", "'1e999' is not a finite number"),
        ("MonthlyCharges", 1e308, "1e+308 is outside 0 to 1000"),
        ("MonthlyCharges", -1e-9, "-1e-09 is outside 0 to 1000"),
        ("MonthlyCharges", Decimal("sNaN"), "a Decimal is not a finite number"),
        ("MonthlyCharges", 1 + 0j, "a complex is not a number"),
        ("MonthlyCharges", "84,45", "'84,45' is not a number"),
        ("TotalCharges", None, "null is blank, which is allowed only where 'tenure' is 0"),
        ("TotalCharges", " ", "' ' is blank, which is allowed only where 'tenure' is 0"),
    ],
)
def test_a_number_that_is_not_allowed_is_named_with_the_range(scorer, name, value, why):
    customer = CUSTOMER | {name: value}
    if why is None:
        assert scorer.score_one(customer) == scorer.score_one(CUSTOMER)
        return
    error = refusal(scorer, customer)
    assert str(error).startswith(f"Field '{name}': {why}. Give a")
    assert error.field == name
    assert " from 0 to " in error.allowed


@pytest.mark.parametrize(
    "blank", [None, "", " ", "NA", "nan", "N/A", "null", "None", r"\N", " #N/A "]
)
@pytest.mark.parametrize("tenure", [0, 0.0, "0", "-0"])
def test_a_blank_total_means_nothing_billed_before_the_first_month(scorer, blank, tenure):
    new = CUSTOMER | {"tenure": 0, "TotalCharges": 0}
    said = CUSTOMER | {"tenure": tenure, "TotalCharges": blank}
    assert scorer.score_one(said) == scorer.score_one(new)


@pytest.mark.parametrize(
    ("tenure", "field"),
    [("x", "tenure"), (None, "tenure"), ([0], "tenure"), (1, "TotalCharges")],
)
def test_a_blank_total_beside_any_other_tenure_is_refused(scorer, tenure, field):
    customer = CUSTOMER | {"tenure": tenure, "TotalCharges": ""}

    assert refusal(scorer, customer).field == field


@pytest.mark.parametrize("value", [[], None, "Female", 3, [CUSTOMER]])
def test_what_is_no_customer_is_refused(scorer, value):
    error = refusal(scorer, value)
    assert str(error).startswith("A customer is an object of fields and values, not ")


def test_a_refused_row_among_many_is_numbered(scorer):
    with pytest.raises(FieldError, match="Row 2: Field 'Contract': 'Biennial' is") as error:
        scorer.columns([CUSTOMER, CUSTOMER | {"Contract": "Biennial"}])
    assert error.value.field == "Contract"


def test_no_rows_have_no_scores(scorer):
    none = scorer.columns([])
    assert len(scorer.score_many(none).logit) == 0
    assert scorer.contributions(none).shape == (0, len(scorer.features))


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("Contract", np.array([0, 3], np.int8), "row 2: code 3 is none of its 3 categories"),
        ("Contract", np.array([-1, 0], np.int8), "row 1: code -1 is none of its 3 categories"),
        ("Contract", np.array([0, 0.5]), "row 2: code 0.5 is none of its 3 categories"),
        ("Contract", np.array(["One year", "x"]), "is not a list of numbers or category codes"),
        ("Contract", np.array([True, False]), "is not a list of numbers or category codes"),
        ("Contract", np.zeros((2, 1)), "is not a list of numbers or category codes"),
        ("Contract", np.zeros(3, np.int8), "has 3 rows where others have 2"),
        ("tenure", np.array([1.0, 241]), "row 2: 241 is not a whole number from 0 to 240"),
        ("tenure", np.array([1.5, 2]), "row 1: 1.5 is not a whole number from 0 to 240"),
        ("MonthlyCharges", np.array([1, np.nan]), "row 2: nan is not a number from 0 to 1000"),
        ("MonthlyCharges", np.array([np.inf, 1]), "row 1: inf is not a number from 0 to 1000"),
    ],
)
def test_columns_are_held_to_the_contract_like_rows(scorer, name, values, why):
    columns = dict(scorer.columns([CUSTOMER, CUSTOMER])) | {name: values}
    for ask in (scorer.score_many, scorer.contributions):
        with pytest.raises(InputError, match=f"Column '{name}' .*{why}|Column '{name}' {why}"):
            ask(columns)


def test_a_missing_column_is_named(scorer):
    columns = dict(scorer.columns([CUSTOMER]))
    del columns["Partner"]
    with pytest.raises(InputError, match="Column 'Partner' is missing"):
        scorer.score_many(columns)


def test_columns_besides_the_features_are_left_alone(scorer):
    columns = scorer.columns([CUSTOMER])
    more = dict(columns) | {"customerID": np.array(["0001-ABCDE"])}
    assert scorer.score_many(more).logit == scorer.score_many(columns).logit


def test_a_blank_rule_of_another_business_is_kept(contract):
    spent = NumberColumn(
        name="spent", kind="number", unit="USD", minimum=-5, maximum=5, meaning="x",
        blank=BlankRule(only_when="visits", equals=-1, value=2.5),
    )  # fmt: skip
    visits = NumberColumn(
        name="visits", kind="number", unit="times", minimum=-1, maximum=9, integer=True, meaning="x"
    )
    plan = CategoryColumn(name="plan", kind="category", categories=(" 1", "two"), meaning="x")
    other = contract.model_copy(
        update={"columns": (contract.id, spent, plan, visits, contract.target)}
    )
    encoder = RowEncoder(other)

    assert encoder.encode({"plan": 1, "spent": None, "visits": -1}) == [0, 2.5, -1.0]
    assert encoder.encode({"plan": "two", "spent": "-.5", "visits": "9"}) == [1, -0.5, 9.0]
    with pytest.raises(FieldError, match="allowed only where 'visits' is -1"):
        encoder.encode({"plan": "1", "spent": "", "visits": 0})


def test_trees_refuse_what_is_no_model_or_of_another_width(folder):
    with pytest.raises(ValueError, match="LightGBM cannot read or use its trees"):
        NativeTrees("tree\nnonsense\n")
    trees = NativeTrees((folder / "model" / "member-2" / "trees.txt").read_text())
    with pytest.raises(ValueError, match="look at 19 columns, not at 3"):
        trees.logits(np.zeros((2, 3)))


LIGHT = """
import sys
from pathlib import Path
from churn.scoring import Scorer, read_golden

scorer = Scorer.load(sys.argv[1])
for golden in read_golden(Path(sys.argv[1])):
    assert abs(scorer.score_one(golden.row).logit - golden.logit) < 1e-9
heavy = {"lightgbm", "sklearn", "torch", "zenml", "mlflow", "great_expectations", "matplotlib"}
heavy |= {"pandas"}
print(sorted(heavy & set(sys.modules)))
"""


def test_scoring_loads_no_heavy_library(folder, root):
    answer = subprocess.run(
        [sys.executable, "-c", LIGHT, folder],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.stdout.strip() == "[]", answer.stderr
