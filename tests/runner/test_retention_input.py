import sqlite3
from contextlib import closing

import pytest

from churn.campaign.call_list import EXPORTED
from churn.errors import InputError
from churn.settings.pipelines import DataSettings
from churn.settings.retention import RetentionSettings
from runner.retention_input import require_retention_places
from stacks.spec import load_stack

LOCAL = load_stack("local")


def test_the_shipped_settings_are_fine():
    require_retention_places(RetentionSettings(), LOCAL)
    mlc = DataSettings(contract="data/contracts/mlc_churn.yaml")
    require_retention_places(RetentionSettings(data=mlc), LOCAL)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"playbook": "none.yaml"}, "There is no playbook"),
        ({"suppression": "none.csv"}, "none.csv cannot be read"),
        ({"input": "none.csv"}, "none.csv"),
        ({"export": "calls.xlsx"}, "calls.xlsx"),
        ({"export": "/proc/none/calls.csv"}, "The folder /proc/none cannot be written to"),
        ({"export": "/proc/none/"}, "The folder /proc/none cannot be written to"),
        ({"export": "sqlite:////proc/none/crm.db?table=calls"}, "there is no folder /proc/none"),
        (
            {"export": "postgresql://crm@127.0.0.1:1/crm?table=calls"},
            "cannot be written to: .*refused",
        ),
        ({"value": {"clv": 300.0}}, "Leave it out: value.margin and horizon.months"),
        ({"renewals": {"survivors": (10, 12, 9)}}, "cannot rise, as they do from 10 to 12"),
    ],
)
def test_a_place_that_cannot_be_used_is_named_before_anything_starts(
    settings, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match=said):
        require_retention_places(RetentionSettings(**settings), LOCAL)


@pytest.mark.parametrize(
    ("columns", "key", "said"),
    [
        (EXPORTED[:-1], "PRIMARY KEY", "has no column 'listed_on'. Add what is missing"),
        (EXPORTED, "", "has no primary key or unique index of 'customer_id'"),
        (EXPORTED, "PRIMARY KEY", None),
    ],
)
def test_a_table_that_cannot_take_the_list_is_named_before_anything_starts(
    columns, key, said, tmp_path
):
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database:
        of = ", ".join(f"{name} {key if name == 'customer_id' else ''}" for name in columns)
        database.execute(f"CREATE TABLE calls ({of})")
    settings = RetentionSettings(export=f"sqlite:///{tmp_path}/crm.db?table=calls")

    if said is None:
        require_retention_places(settings, LOCAL)
        return
    with pytest.raises(InputError, match=said):
        require_retention_places(settings, LOCAL)


def test_a_playbook_of_another_business_is_refused():
    settings = RetentionSettings(playbook="data/playbooks/mlc_churn.yaml")

    with pytest.raises(
        InputError, match="line 4: the playbook is for the data contract 'mlc_churn'"
    ):
        require_retention_places(settings, LOCAL)


def test_a_business_without_a_playbook_reads_which_file_to_write(root, tmp_path):
    text = (root / "data" / "contracts" / "mlc_churn.yaml").read_text()
    path = tmp_path / "gym.yaml"
    path.write_text(text.replace("name: mlc_churn", "name: gym", 1))
    settings = RetentionSettings(data=DataSettings(contract=str(path)))

    with pytest.raises(InputError, match=r"gym\.yaml\. Write one for the data contract 'gym'"):
        require_retention_places(settings, LOCAL)


@pytest.mark.parametrize("name", ["input", "export", "playbook", "suppression"])
def test_steps_in_containers_read_no_file_of_this_machine(name, root, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("customerID\nC1\n")
    playbook = root / "data" / "playbooks" / "telco.yaml"
    settings = RetentionSettings(**{name: str(playbook if name == "playbook" else path)})

    with pytest.raises(InputError, match=f"{name}="):
        require_retention_places(settings, load_stack("kubernetes"))
