"""The contract file: what it may say, and the sentences when it says something else."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from churn.contract import DataContract, Role, load_contract
from churn.errors import InputError


@pytest.fixture(scope="module")
def content(root: Path) -> dict:
    return yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text())


def refused(tmp_path: Path, content: dict) -> str:
    path = tmp_path / "contract.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as error:
        load_contract(path)
    return str(error.value)


def test_the_shipped_contract_describes_ibms_21_columns(contract):
    assert len(contract.columns) == 21
    assert contract.id.name == "customerID"
    assert contract.target.categories == ("No", "Yes")
    assert [each.name for each in contract.numbers] == ["tenure", "MonthlyCharges", "TotalCharges"]
    assert len(contract.features) == 19


def test_columns_are_found_by_role(contract):
    assert [each.name for each in contract.with_role(Role.TENURE)] == ["tenure"]
    assert len(contract.with_role(Role.SERVICE)) == 9
    assert contract.with_role(Role.SENSITIVE)[1].categories == ("0", "1")


def test_words_for_reasons_are_optional(content):
    spoken = {"actionable", "phrases", "phrase", "offers", "prices"}
    silent = [{k: v for k, v in c.items() if k not in spoken} for c in content["columns"]]
    contract = DataContract.model_validate(content | {"columns": silent})

    assert contract.column("Contract").phrases == ()
    assert not any(column.actionable for column in contract.features)


def test_prices_of_the_shipped_contract_add_up_to_the_bills(contract, telco_columns):
    bill = sum(
        np.array(column.prices)[telco_columns[column.name]]
        for column in contract.coded
        if column.prices
    )
    off = telco_columns["MonthlyCharges"] - bill

    assert np.abs(off).max() < 6
    assert np.abs(off.mean()) < 0.1
    assert off.std() < 1.1


def test_a_digest_follows_what_is_said_and_not_how(content):
    one = DataContract.model_validate(content)
    again = DataContract.model_validate(yaml.safe_load(yaml.safe_dump(content, indent=7)))
    other = DataContract.model_validate(content | {"version": 2})

    assert one.digest() == again.digest() != other.digest()


def test_ids_last_unless_the_contract_says_otherwise(content):
    # given a contract from before the field, and the digest that its bundles keep
    old = {
        "name": "gym",
        "version": 1,
        "title": "Members of a gym",
        "columns": [
            {"name": "member", "kind": "id", "meaning": "Member"},
            {"name": "sauna", "kind": "flag", "meaning": "Uses the sauna"},
            {"name": "left", "kind": "target", "meaning": "Left"},
        ],
        "snapshot": {"path": "gym.csv", "sha256": "0" * 64},
        "expectations": {
            "rows": {"minimum": 1, "maximum": 50},
            "target_rate": {"minimum": 0.1, "maximum": 0.9},
            "psi_warning": 0.1,
            "psi_critical": 0.5,
        },
    }
    digest = "7898d268fe5982dcfc94ecc21f2d7378024ccf8b9b621c858125b7343dc32430"
    said = [old["columns"][0] | {"surrogate": False}, *old["columns"][1:]]
    otherwise = [old["columns"][0] | {"surrogate": True}, *old["columns"][1:]]

    assert not DataContract.model_validate(old).id.surrogate
    assert DataContract.model_validate(old).digest() == digest
    assert DataContract.model_validate(old | {"columns": said}).digest() == digest
    assert DataContract.model_validate(old | {"columns": otherwise}).digest() != digest


def test_the_shipped_ids_are_surrogates(contract):
    assert contract.id.surrogate
    assert DataContract.model_validate(contract.model_dump(mode="json")) == contract


def test_a_table_has_one_date_at_most(tmp_path, content):
    day = {"kind": "date", "meaning": "Day of the row"}
    dated = [*content["columns"], day | {"name": "seen_on"}]
    assert DataContract.model_validate(content | {"columns": dated}).date.name == "seen_on"
    assert DataContract.model_validate(content).date is None

    twice = content | {"columns": [*dated, day | {"name": "told_on"}]}
    assert "at most one column of kind 'date'" in refused(tmp_path, twice)


def test_a_missing_contract_names_the_way_out(tmp_path):
    with pytest.raises(InputError, match=r"does not exist.*--set data\.contract=PATH"):
        load_contract(tmp_path / "nowhere.yaml")


def test_text_that_is_no_yaml_is_refused(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text("columns: [")
    with pytest.raises(InputError, match="cannot be read as YAML"):
        load_contract(path)


def _changed(content: dict, name: str, changes: dict) -> dict:
    columns = [c | changes if c["name"] == name else c for c in content["columns"]]
    return content | {"columns": columns}


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("tenure", {"minimum": 500}, "minimum must lie below maximum"),
        ("Contract", {"categories": ["One year", "One year"]}, "lists a category twice"),
        ("Contract", {"categories": ["One year", " One year"]}, "lists a category twice"),
        ("Contract", {"categories": ["One year", " "]}, "lists a blank category"),
        ("Partner", {"no_value": "Yes"}, "lists a category twice"),
        ("Churn", {"yes_value": ""}, "lists a blank category"),
        ("Contract", {"months": [1, 12]}, "'months' needs one length per category"),
        ("InternetService", {"yes": ["Cable"]}, "'yes' names"),
        ("tenure", {"colour": "blue"}, "Extra inputs are not permitted"),
        ("gender", {"name": "tenure"}, "two columns share a name"),
        ("gender", {"roles": ["sign of the zodiac"]}, "Input should be"),
        ("gender", {"actionable": True}, "nobody can change a column with the role 'sensitive'"),
        ("tenure", {"actionable": True}, "nobody can change a column with the role 'tenure'"),
        ("Partner", {"actionable": True}, "nobody can change a column with the role 'household'"),
        ("Contract", {"phrases": ["Pays"]}, "'phrases' needs one entry per category"),
        ("PaperlessBilling", {"prices": [1.0]}, "'prices' needs one entry per category"),
        ("Contract", {"offers": {"Ten years": "ten years"}}, "'offers' names ['Ten years']"),
        ("Contract", {"actionable": False}, "has offers, so it must be actionable"),
        ("tenure", {"phrase": "Long a customer"}, "must say where {value} stands"),
    ],
)
def test_a_column_that_cannot_be_meant_is_refused(tmp_path, content, name, changes, said):
    assert said in refused(tmp_path, _changed(content, name, changes))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("psi_warning", 0.9, "psi_warning must not lie above psi_critical"),
        ("rows", {"minimum": 9, "maximum": 3}, "minimum must not lie above maximum"),
        (
            "implications",
            [{"column": "Fax", "value": "No", "follows_column": "gender", "follows_value": "Male"}],
            "unknown column 'Fax'",
        ),
    ],
)
def test_an_expectation_that_cannot_be_met_is_refused(tmp_path, content, key, value, said):
    expectations = content["expectations"] | {key: value}
    assert said in refused(tmp_path, content | {"expectations": expectations})


@pytest.mark.parametrize("kind", ["id", "target"])
def test_exactly_one_id_and_one_target_are_needed(tmp_path, content, kind):
    columns = [column for column in content["columns"] if column["kind"] != kind]
    said = refused(tmp_path, content | {"columns": columns})
    assert f"exactly one column of kind '{kind}' is needed" in said
