"""A training under another contract than the model in production has is refused before it starts."""

from __future__ import annotations

import pytest
import yaml

from churn.contract import load_contract
from churn.errors import InputError
from churn.settings.pipelines import RegistrationSettings, TrainingSettings
from runner.inputs import require_contract_in_production
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]


@pytest.fixture
def production(published_store, tmp_path):
    """The folder of stores, in which one model is in production."""
    (tmp_path / "production").mkdir()
    (tmp_path / "production" / "telco-churn").symlink_to(published_store)
    return tmp_path / "production"


def training_under(contract, **changes) -> TrainingSettings:
    content = yaml.safe_load(contract.read_text(encoding="utf-8")) | changes
    path = contract.with_name(f"{content['name']}.yaml")
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return TrainingSettings(
        data={"contract": str(path)}, model=RegistrationSettings(name="telco-churn")
    )


@pytest.fixture
def contract_copy(root, tmp_path):
    copy = tmp_path / "copy.yaml"
    copy.write_bytes((root / "data" / "contracts" / "telco.yaml").read_bytes())
    return copy


def test_the_same_columns_are_one_contract_whatever_its_version(production, contract_copy):
    same = training_under(contract_copy, version=7, title="Another title")

    require_contract_in_production(same, str(production))


def test_a_contract_with_other_columns_is_refused_with_the_way_out(production, contract_copy):
    content = yaml.safe_load(contract_copy.read_text(encoding="utf-8"))
    columns = [each for each in content["columns"] if each["name"] != "gender"]
    other = training_under(contract_copy, version=2, columns=columns)

    with pytest.raises(InputError) as refused:
        require_contract_in_production(other, str(production))

    version = load_contract(contract_copy).version
    assert str(refused.value).startswith(
        "The version of 'telco-churn' in production was trained under the data contract 'telco' "
        f"version {version}, and this training's is 'telco' version 2 with other columns: "
    )
    assert str(refused.value).endswith("with --set model.name=NAME.")


def test_a_contract_of_another_name_is_refused_even_with_the_same_columns(
    production, contract_copy
):
    with pytest.raises(InputError, match="this training's is 'spa' version 1: models of two"):
        require_contract_in_production(
            training_under(contract_copy, name="spa", version=1), str(production)
        )


@pytest.mark.parametrize("lost", ["nothing", "current.json"])
def test_without_a_version_in_production_nothing_is_refused(tmp_path, contract_copy, lost):
    store = tmp_path / "production" / "telco-churn"
    store.mkdir(parents=True)
    if lost == "current.json":
        (store / "current.json").write_text("{")  # promotion compares the same, and says this

    spa = training_under(contract_copy, name="spa")

    require_contract_in_production(spa, str(tmp_path / "production"))
