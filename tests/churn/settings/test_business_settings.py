"""What settings leave open and the data contract says: name, words and money of the business."""

from __future__ import annotations

import pytest
import yaml

from churn.errors import InputError
from churn.settings.business_settings import follow_contract
from churn.settings.settings_file import load_settings
from runner.pipeline_catalog import PIPELINES, find_pipeline


@pytest.fixture
def contract_file(root, tmp_path):
    """Writes the shipped contract under another name, with other words of the business."""
    plain = yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text("utf-8"))

    def write(**changes):
        content = {name: value for name, value in {**plain, **changes}.items() if value is not None}
        path = tmp_path / "contract.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    return write


def settled(root, pipeline, *overrides):
    entry = find_pipeline(pipeline)
    return follow_contract(
        load_settings(entry.settings_class(), entry.configuration, overrides), root
    )


@pytest.mark.parametrize(
    "pipeline",
    [each.name for each in PIPELINES if "model" in each.settings_class().model_fields],
)
@pytest.mark.parametrize(
    ("name", "profile", "expected"),
    [
        ("gym", "full", "gym-churn"),
        ("gym", "demo", "gym-churn-demo"),
        ("gym_north", "quick", "gym-north-churn"),
        ("mlc_churn", "full", "mlc-churn"),
        ("mlc_churn", "demo", "mlc-churn-demo"),
    ],
)
def test_the_models_name_follows_the_contract_on_every_pipeline(
    root, contract_file, pipeline, name, profile, expected
):
    contract = f"data.contract={contract_file(name=name)}"

    assert settled(root, pipeline, contract, f"profile={profile}").model.name == expected


def test_what_the_settings_state_is_kept(root):
    stated = settled(root, "training", "model.name=own", "model.ethics=Ours.", "value.currency=CHF")

    assert (stated.model.name, stated.model.ethics, stated.value.currency) == (
        "own",
        "Ours.",
        "CHF",
    )


def test_words_and_money_are_the_contracts(root, contract_file):
    business = {
        "currency": "EUR",
        "description": "Whether a member leaves.",
        "ethics": "Ask first.",
    }
    contract = f"data.contract={contract_file(business=business)}"

    training = settled(root, "training", contract)

    assert training.model.description == "Whether a member leaves."
    assert training.model.ethics == "Ask first."
    assert training.value.currency == "EUR"
    assert settled(root, "promotion", contract).value.currency == "EUR"


def test_a_contract_that_says_nothing_of_its_business_gets_no_ones_words(root, contract_file):
    training = settled(
        root, "training", f"data.contract={contract_file(business=None, title='Members of a gym')}"
    )

    assert training.model.description == "Probability that a customer leaves (Members of a gym)."
    assert training.model.ethics.startswith("Its inputs include gender, SeniorCitizen; ")
    assert training.value.currency == ""
    assert "200.00 units of money" in training.value.assumptions[0]


def test_without_sensitive_columns_it_is_said_that_none_was_compared(root, contract_file):
    plain = yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text("utf-8"))
    columns = [
        {**column, "roles": [role for role in column.get("roles", []) if role != "sensitive"]}
        for column in plain["columns"]
    ]
    path = contract_file(business=None, columns=columns)

    ethics = settled(root, "training", f"data.contract={path}").model.ethics
    assert ethics.startswith("The data contract declares no column sensitive")


@pytest.mark.parametrize("pipeline", [entry.name for entry in PIPELINES])
def test_a_contract_that_is_not_there_is_named(root, pipeline):
    with pytest.raises(InputError, match=r"data contract .*nothing\.yaml does not exist"):
        settled(root, pipeline, "data.contract=nothing.yaml")
