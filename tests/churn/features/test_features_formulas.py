import json
import warnings

import numpy as np
import pytest

from churn.contract import DataContract, Role
from churn.errors import InputError
from churn.features.feature_set import FORMULAS, FeatureSet, feature_set
from churn.features.groups import GROUPS
from churn.features.tenure import BUCKET_NAMES, BUCKET_STARTS


@pytest.fixture
def gym() -> DataContract:
    """Another subscription business: other names, fewer roles, no total and no services."""
    return DataContract.model_validate(
        {
            "name": "gym",
            "version": 1,
            "title": "Members of a gym",
            "columns": [
                {"name": "member", "kind": "id", "meaning": "number"},
                {
                    "name": "months_in",
                    "kind": "number",
                    "unit": "months",
                    "minimum": 0,
                    "maximum": 600,
                    "roles": ["tenure"],
                    "meaning": "membership so far",
                },
                {
                    "name": "fee",
                    "kind": "number",
                    "unit": "EUR per month",
                    "minimum": 0,
                    "maximum": 500,
                    "roles": ["monthly_charge"],
                    "meaning": "current fee",
                },
                {
                    "name": "term",
                    "kind": "category",
                    "categories": ["monthly", "yearly"],
                    "months": [1, 12],
                    "roles": ["contract_term"],
                    "meaning": "term",
                },
                {"name": "left", "kind": "target", "meaning": "cancelled"},
            ],
            "snapshot": {"path": "gym.csv", "sha256": "0" * 64},
            "expectations": {
                "rows": {"minimum": 1, "maximum": 10},
                "target_rate": {"minimum": 0, "maximum": 1},
                "psi_warning": 0.1,
                "psi_critical": 0.5,
            },
        }
    )


def customer(columns, **values):
    """One real customer, with some values changed."""
    return {
        name: np.array([values.get(name, column[0])]).astype(column.dtype)
        for name, column in columns.items()
    }


def made(contract, columns):
    return {name: float(value[0]) for name, value in feature_set(contract).compute(columns).items()}


def test_the_formulas_of_one_customer_by_hand(contract, telco_columns):
    someone = customer(
        telco_columns, tenure=10, MonthlyCharges=50, TotalCharges=450, Contract=1, PhoneService=1,
        MultipleLines=0, InternetService=1, OnlineSecurity=1, OnlineBackup=1, DeviceProtection=0,
        TechSupport=0, StreamingTV=1, StreamingMovies=0,
    )  # fmt: skip

    assert made(contract, someone) == {
        "tenure_bucket": 1,
        "within_first_term": 1,
        "average_charge": 45,
        "charge_change": 5,
        "billed_gap": -50,
        "charge_per_service": 10,
        "service_count": 5,
        "protection_count": 2,
        "streaming_count": 1,
    }


def test_a_customer_who_was_never_billed_and_has_nothing_makes_no_nan_and_no_warning(
    contract, telco_columns
):
    nobody = customer(
        telco_columns, tenure=0, MonthlyCharges=0, TotalCharges=0, PhoneService=0, MultipleLines=2,
        InternetService=2, OnlineSecurity=2, OnlineBackup=2, DeviceProtection=2, TechSupport=2,
        StreamingTV=2, StreamingMovies=2,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = made(contract, nobody)

    assert values.pop("within_first_term") == 1
    assert set(values.values()) == {0.0}


def test_before_the_first_full_month_the_current_bill_stands_for_the_average(
    contract, telco_columns
):
    new = customer(telco_columns, tenure=0, MonthlyCharges=70, TotalCharges=0)
    values = made(contract, new)

    assert values["average_charge"] == 70
    assert values["charge_change"] == 0


@pytest.mark.parametrize(
    ("months", "bucket"), [(0, 0), (5, 0), (6, 1), (11, 1), (12, 2), (24, 3), (60, 5), (240, 5)]
)
def test_a_bucket_begins_at_its_start(contract, telco_columns, months, bucket):
    assert made(contract, customer(telco_columns, tenure=months))["tenure_bucket"] == bucket
    assert len(BUCKET_NAMES) == len(BUCKET_STARTS) + 1


def test_a_term_counts_as_over_once_its_months_have_passed(contract, telco_columns):
    two_years = {
        months: made(contract, customer(telco_columns, tenure=months, Contract=2))
        for months in (23, 24)
    }
    assert two_years[23]["within_first_term"] == 1
    assert two_years[24]["within_first_term"] == 0


def test_real_customers_have_finite_features_within_their_stated_codes(contract, telco_columns):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        computed = feature_set(contract).compute(telco_columns)

    assert set(computed) == set(FORMULAS)
    for name, values in computed.items():
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        if FORMULAS[name].categories:
            assert set(values) <= set(range(FORMULAS[name].categories))


def test_another_business_gets_what_its_roles_allow_and_a_list_of_what_is_left_out(gym):
    columns = {
        "months_in": np.array([3.0, 30.0]),
        "fee": np.array([20.0, 25.0]),
        "term": np.array([1, 0], dtype=np.int8),
    }
    features = feature_set(gym)

    assert features.names == ("tenure_bucket", "within_first_term")
    assert features.compute(columns)["within_first_term"].tolist() == [1, 0]
    assert len(features.left_out) == len(FORMULAS) - 2
    assert (
        "'average_charge' is left out: it needs exactly one number column with the role "
        "'total_charge', and contract 'gym' has none."
    ) in features.left_out


def test_a_tenure_in_other_units_makes_no_feature_of_months(gym):
    in_years = gym.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"unit": "years"})
                if column.name == "months_in"
                else column
                for column in gym.columns
            )
        }
    )
    features = feature_set(in_years)

    assert features.names == ()
    assert (
        "'tenure_bucket' is left out: it needs exactly one number column in months with "
        "the role 'tenure', and contract 'gym' has none."
    ) in features.left_out


def test_two_columns_of_one_role_are_too_many_for_a_number(gym):
    twice = gym.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"roles": (Role.TENURE,), "unit": "months"})
                if column.name == "fee"
                else column
                for column in gym.columns
            )
        }
    )
    assert feature_set(twice, ("tenure",)).left_out == (
        "'tenure_bucket' is left out: it needs exactly one number column in months with the role "
        "'tenure', and contract 'gym' has 2.",
    )


def test_extending_keeps_the_columns_and_adds_the_engineered_ones(contract, telco_columns):
    extended = feature_set(contract, ("services",)).extend(telco_columns)
    assert set(extended) - set(telco_columns) == {
        "service_count",
        "protection_count",
        "streaming_count",
    }
    assert extended["tenure"] is telco_columns["tenure"]
    assert FeatureSet().extend(telco_columns) is telco_columns


def test_a_set_survives_json_and_computes_the_same(contract, telco_columns):
    features = feature_set(contract)
    again = FeatureSet.from_json(json.loads(json.dumps(features.as_json())))
    first, second = features.compute(telco_columns), again.compute(telco_columns)

    assert again.names == features.names != ()
    assert all(np.array_equal(first[name], second[name]) for name in features.names)


def test_a_formula_of_another_version_is_refused(contract):
    content = feature_set(contract, ("tenure",)).as_json()
    content[0]["formula"] = "moon_phase"
    with pytest.raises(InputError, match="'moon_phase' is not known to this version"):
        FeatureSet.from_json(content)


def test_an_unknown_group_is_refused(contract):
    with pytest.raises(InputError, match=f"'weather' is unknown; choose among {GROUPS[0]}"):
        feature_set(contract, ("weather",))


def test_an_engineered_name_that_the_contract_uses_is_refused(gym):
    renamed = gym.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"name": "tenure_bucket"})
                if column.name == "fee"
                else column
                for column in gym.columns
            )
        }
    )
    with pytest.raises(InputError, match="has a column 'tenure_bucket', the name of"):
        feature_set(renamed)


def test_a_missing_column_is_named(contract, telco_columns):
    less = {name: values for name, values in telco_columns.items() if name != "TotalCharges"}
    with pytest.raises(InputError, match="Column 'TotalCharges' is missing"):
        feature_set(contract).compute(less)


@pytest.mark.parametrize("code", [-1, 3, 127])
def test_a_code_that_no_category_has_is_refused_with_its_row(contract, telco_columns, code):
    wrong = dict(telco_columns)
    wrong["StreamingTV"] = wrong["StreamingTV"].copy()
    wrong["StreamingTV"][41] = code
    with pytest.raises(InputError, match=rf"'StreamingTV' row 42: code {code} is none of the 3"):
        feature_set(contract, ("services",)).compute(wrong)


def test_every_formula_says_what_it_means_and_knows_its_codes():
    assert len(FORMULAS) > 5
    for name, formula in FORMULAS.items():
        assert name == formula.name
        assert len(formula.meaning) > 20
        if formula.steps:
            assert formula.categories == len(formula.steps) + 1


def test_a_bound_formula_names_the_columns_it_reads(contract):
    bound = FORMULAS["charge_per_service"].bind(contract)
    assert bound.reads[0] == "MonthlyCharges"
    assert len(bound.reads) == 1 + len(contract.with_role(Role.SERVICE))
