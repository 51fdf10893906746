"""`run.py contract`: a draft is written once, and a check lists all that a contract lacks."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

import run
from churn.contract import load_contract
from churn.settings.pipelines import DataSettings
from runner.inputs import check_table


@pytest.fixture
def table(root):
    """The shipped table's path."""
    return str(root / "data" / "raw" / "telco.csv")


@pytest.fixture
def contract_command(capfd):
    """Types `run.py contract ...`; returns exit code, output and errors."""

    def typed(*words: object) -> tuple[int, str, str]:
        code = run.main(["contract", *map(str, words)])
        said = capfd.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def draft(contract_command, table, tmp_path):
    """The draft of the shipped table, as a file."""
    path = tmp_path / "contracts" / "mine.yaml"
    code, out, _ = contract_command("draft", table, "--output", path)
    assert code == 0
    assert f"Wrote {path}: 21 columns described, 0 left out." in out
    assert "target  Churn: 'Yes' left, 'No' stayed" in out
    return path


def test_a_draft_loads_and_reads_its_table(draft, contract_command, table):
    code, out, _ = contract_command("check", draft, "--source", table)

    assert load_contract(draft).name == "mine"
    assert code == 0
    assert out.startswith("Guessed, to be confirmed")
    assert "Column 'tenure': is this how long the customer has been one?" in out
    assert out.endswith(f"{draft}: valid, can be trained with.\n")


def test_a_run_says_how_many_guesses_stand(draft, table, tmp_path, root, caplog):
    settings = DataSettings(contract=str(draft), source=table)

    with caplog.at_level(logging.WARNING, "churn.progress"):
        check_table(settings, root=root, downloads=tmp_path)
        check_table(DataSettings(), root=root, downloads=tmp_path)

    assert [record.getMessage() for record in caplog.records] == [
        f"nobody has confirmed 21 guesses; `python run.py contract check {draft}` lists them"
    ]


def test_a_file_that_is_there_is_not_overwritten(draft, contract_command, table):
    before = draft.read_bytes()
    code, _, error = contract_command("draft", table, "--output", draft)

    assert code == 2
    assert f"{draft} is there already and is not overwritten." in error
    assert draft.read_bytes() == before


@pytest.mark.parametrize("name", ["Mine.yaml", "mine.json", "7.yaml", "two words.yaml"])
def test_a_file_is_called_as_its_contract_may_be(contract_command, table, tmp_path, name):
    code, _, error = contract_command("draft", table, "--output", tmp_path / name)

    assert code == 2
    assert "the contract's name is the file's" in error
    assert list(tmp_path.iterdir()) == []


def test_a_refused_table_leaves_no_file(contract_command, tmp_path):
    (tmp_path / "small.csv").write_text("id,churn\n1,0\n2,1\n")
    code, _, error = contract_command(
        "draft", tmp_path / "small.csv", "--output", tmp_path / "contracts" / "mine.yaml"
    )

    assert code == 2
    assert "2 rows, and a contract is drafted from 100 or more" in error
    assert not (tmp_path / "contracts").exists()


def test_a_check_lists_all_that_is_wrong_at_once(draft, contract_command):
    content = yaml.safe_load(draft.read_text())
    by_name = {column["name"]: column for column in content["columns"]}
    del by_name["tenure"]["unit"]
    by_name["Contract"]["categories"] = ["One year"]
    by_name["Churn"]["kind"] = "flag"
    del content["expectations"]
    draft.write_text(yaml.safe_dump(content))

    code, out, _ = contract_command("check", draft)

    assert code == 2
    assert out.startswith("Wrong, to be mended (4):")
    assert "Column 'tenure', unit is missing; write `unit: USD per month`." in out
    assert "Column 'Contract', categories: Tuple should have at least 2 items" in out
    assert (
        "Expectations is missing; it needs rows, target_rate, psi_warning and psi_critical." in out
    )
    assert "exactly one column of kind 'target' is needed; there are 0." in out
    assert out.endswith(f"{draft}: not usable yet.\n")


def test_a_check_says_what_missing_roles_cost(draft, contract_command):
    content = yaml.safe_load(draft.read_text())
    for column in content["columns"]:
        if column["name"] in {"tenure", "gender", "SeniorCitizen"}:
            del column["roles"]
    draft.write_text(yaml.safe_dump(content))

    code, out, _ = contract_command("check", draft)

    assert code == 0
    assert "No column has the role 'tenure': the features tenure_bucket, within_first_term, " in out
    assert "No column has the role 'sensitive': no group is checked for fairness." in out


def test_a_check_lists_every_column_that_the_table_breaks(draft, contract_command, table, tmp_path):
    worse = tmp_path / "worse.csv"
    text = Path(table).read_text(encoding="utf-8")
    text = (
        text.replace("Two year", "Biennial")
        .replace("Mailed check", "Mail")
        .replace("29.85,29.85", "-1,29.85")
    )
    worse.write_text(text)

    code, out, _ = contract_command("check", draft, "--source", worse)

    assert code == 2
    assert out.startswith("Wrong, to be mended (3):")
    assert "Column 'Contract' row 12 and 1,694 more rows: 'Biennial' is not one of" in out
    assert "Column 'PaymentMethod' row 2" in out
    assert "Column 'MonthlyCharges': 1 row lies outside 0 to 500" in out


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["The file has no fields; write name, version, title, columns and expectations."]),
        (
            "{name: A, columns: [3, {name: x}, {name: y, kind: odd}], more: 1}",
            [
                "Name: String should match pattern '^[a-z][a-z0-9_-]*$'.",
                "Version is missing; write `version: 1`.",
                "Title is missing; write `title: Customers of Mine`.",
                "Column 1 has no fields; write name, kind and meaning.",
                "Column 'x': kind must be one of id, date, category, flag, number, target.",
                "Column 'y': kind must be one of id, date, category, flag, number, target.",
                "Expectations is missing; it needs rows, target_rate, psi_warning and psi_critical.",
                "More is no field of a contract; docs/data.md lists them.",
                "exactly one column of kind 'id' is needed; there are 0.",
                "exactly one column of kind 'target' is needed; there are 0.",
            ],
        ),
    ],
)
def test_each_fault_of_a_contract_is_a_sentence(contract_command, tmp_path, text, sentences):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    code, out, _ = contract_command("check", path)

    assert code == 2
    assert [line.strip() for line in out.splitlines()[1:-1]] == sentences


def test_the_shipped_contract_lacks_nothing(contract_command, root, table):
    code, out, _ = contract_command("check", root / "data/contracts/telco.yaml", "--source", table)

    assert code == 0
    assert out.splitlines() == [f"{root}/data/contracts/telco.yaml: valid, can be trained with."]
