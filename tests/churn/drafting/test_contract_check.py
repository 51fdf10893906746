"""What a check says of a contract that is valid, but whose features are not all made."""

import pytest
import yaml

from churn.drafting.contract_check import check_contract


@pytest.fixture
def content(root):
    """The shipped contract, as its file says it."""
    return yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text("utf-8"))


def costs(content):
    contract, findings = check_contract(content)
    assert contract is not None
    return [each.sentence for each in findings if each.weight == "cost"]


def column(content, name):
    return next(each for each in content["columns"] if each["name"] == name)


def test_a_contract_with_every_role_costs_nothing(content):
    assert costs(content) == []


def test_a_role_that_its_column_cannot_serve_is_reported_for_each_feature(content):
    # given a tenure, which is there, in a unit that no feature of months can read
    column(content, "tenure")["unit"] = "days"

    found = costs(content)

    assert any(each.startswith("'tenure_bucket' is left out: it needs ") for each in found)
    assert all("with the role 'tenure'" in each for each in found)


def test_a_missing_role_names_the_features_that_it_costs_once(content):
    column(content, "Contract")["roles"] = []

    (found,) = costs(content)

    assert found.startswith("No column has the role 'contract_term': ")
    assert "within_first_term" in found
