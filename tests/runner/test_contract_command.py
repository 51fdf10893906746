"""`run.py contract`: a draft is written once, and a check lists all that a contract lacks."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import pytest
import yaml

import run
from churn.contract import load_contract
from churn.errors import InputError
from churn.settings.pipelines import DataSettings, PromotionPipelineSettings
from runner.inputs import check_table, require_confirmed
from stacks.spec import load_stack


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
    assert "Column 'MonthlyCharges' row 1: -1 is outside 0 to 500" in out


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


def changed_table(table, tmp_path, change):
    """A copy of the shipped table, each row changed as `change(number, row)` does in place."""
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        change(number, row)
    path = tmp_path / "changed.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_check_lists_every_fault_of_a_column_and_what_the_gate_finds(
    contract_command, root, table, tmp_path
):
    def spoil(number, row):
        row["Churn"] = "No" if number % 60 else row["Churn"]  # too few have left
        row["customerID"] = "C00001" if number == 5 else row["customerID"]
        row["tenure"] = {1: "many", 2: "2.5", 3: "", 4: "300"}.get(number, row["tenure"])
        row["Contract"] = {1: "Weekly", 2: "Daily", 3: "Daily", 4: "Hourly", 6: "Yearly"}.get(
            number, row["Contract"]
        )

    worse = changed_table(table, tmp_path, spoil)
    code, out, _ = contract_command("check", root / "data/contracts/telco.yaml", "--source", worse)

    assert code == 2
    for sentence in (
        "Column 'tenure' row 2: 'many' is not a number",
        "Column 'tenure' row 3: '2.5' is not a whole number",
        "Column 'tenure' row 4: the cell is blank",
        "Column 'tenure' row 5: 300 is outside 0 to 240",
        "Column 'Contract' row 2: 'Weekly' is not one of",
        "Column 'Contract' row 3 and 1 more row: 'Daily' is not one of",
        "Column 'Contract' row 5: 'Hourly' is not one of",
        "Column 'Contract' row 7: 1 more text is no category.",
        "Column 'customerID' rows 1 and 6: these rows share their id",
        "outside 5% to 60%",
    ):
        assert sentence in out, out
    # a cell that was refused is not called blank, too
    assert out.count("Column 'Contract' row") == 4


def test_a_check_finds_what_gives_the_outcome_away_and_what_says_nothing(
    contract_command, root, table, tmp_path
):
    def spoil(_number, row):
        row["Partner"] = row["Churn"]
        row["gender"] = "Female"
        row["MonthlyCharges"] = str(
            20 + 60 * (row["Churn"] == "Yes") + float(row["MonthlyCharges"]) / 100
        )

    worse = changed_table(table, tmp_path, spoil)
    code, out, _ = contract_command("check", root / "data/contracts/telco.yaml", "--source", worse)

    assert code == 2
    assert "Column 'Partner': it is the target in other words. Move it to left_out" in out
    noticed = out.partition("To be looked at")[2]
    assert (
        "Column 'MonthlyCharges': alone it ranks those who left with a ROC-AUC of 1.00" in noticed
    )
    assert "Column 'gender': it has one value in every row." in noticed
    assert out.count("Column 'Partner': it is") == 1


def test_a_message_names_the_file_that_the_contract_was_read_from(
    draft, contract_command, root, table, tmp_path
):
    worse = changed_table(table, tmp_path, lambda _number, row: row.update(Contract="Weekly"))

    _, out, _ = contract_command("check", draft, "--source", worse)
    with pytest.raises(InputError) as refused:
        check_table(
            DataSettings(contract=str(draft), source=str(worse)), root=root, downloads=tmp_path
        )

    for said in (out, str(refused.value)):
        assert f"add the category to {draft}." in said
        assert "data/contracts/mine.yaml" not in said


def test_a_check_reads_the_table_as_the_contract_says_and_from_any_address(
    draft, contract_command, table, tmp_path
):
    content = yaml.safe_load(draft.read_text()) | {"reading": {"rename": {"Ref": "customerID"}}}
    draft.write_text(yaml.safe_dump(content))
    other = tmp_path / "other.csv"
    other.write_text(Path(table).read_text(encoding="utf-8").replace("customerID", "Ref", 1))

    for address in (other, other.as_uri()):
        code, out, _ = contract_command("check", draft, "--source", address)
        assert code == 0, out
    other.write_text(other.read_text().replace("Ref", "Nobody", 1))
    code, out, _ = contract_command("check", draft, "--source", other)
    assert code == 2
    assert "Wrong, to be mended (1):" in out
    assert "'Nobody'" in out


def test_a_run_refuses_the_target_in_other_words_before_anything_is_started(
    root, table, tmp_path, caplog
):
    worse = changed_table(
        table, tmp_path, lambda _n, row: row.update(Partner=row["Churn"], gender="Male")
    )

    with pytest.raises(InputError, match="Column 'Partner': each value has one outcome of 'Churn'"):
        check_table(DataSettings(source=str(worse)), root=root, downloads=tmp_path)

    one = changed_table(table, tmp_path, lambda _number, row: row.update(gender="Male"))
    with caplog.at_level(logging.WARNING, "churn.progress"):
        check_table(DataSettings(source=str(one)), root=root, downloads=tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        "one value in every row of 'gender', which tells nobody apart; left_out in the contract "
        "takes it out"
    ]


def test_a_draft_and_a_check_are_objects_for_a_program(contract_command, table, tmp_path):
    path = tmp_path / "mine.yaml"
    code, out, _ = contract_command("draft", table, "--output", path, "--json")
    drafted = json.loads(out)

    assert code == 0
    assert (drafted["status"], drafted["path"]) == ("completed", str(path))
    assert drafted["contract"] == yaml.safe_load(path.read_text())

    code, out, _ = contract_command("check", path, "--source", table, "--json")
    checked = json.loads(out)

    assert code == 0
    assert checked["status"] == "completed"
    assert {each["weight"] for each in checked["findings"]} == {"confirm", "optional"}

    path.write_text("name: mine")
    code, out, _ = contract_command("check", path, "--json")
    assert code == 2
    assert json.loads(out)["status"] == "refused"


def test_a_refusal_is_an_object_on_stdout_and_a_sentence_on_stderr(contract_command, tmp_path):
    code, out, error = contract_command(
        "draft", tmp_path / "none.csv", "--output", tmp_path / "mine.yaml", "--json"
    )

    refusal = json.loads(out)
    assert code == 2
    assert refusal["status"] == "refused"
    assert "none.csv" in refusal["error"]
    assert "none.csv" in error


def test_nobody_promotes_what_nobody_has_confirmed(draft, caplog):
    stack = load_stack("local")
    settings = PromotionPipelineSettings.model_validate({"data": {"contract": str(draft)}})

    with pytest.raises(InputError, match="21 guesses") as caught:
        require_confirmed(settings, stack)
    assert "column 'customerID': the ids number the rows; do they last" in str(caught.value)

    # a demonstration may, and says so
    demo = settings.model_copy(update={"profile": "demo"})
    with caplog.at_level(logging.WARNING, "churn.progress"):
        require_confirmed(demo, stack)
    assert "nobody has confirmed 21 guesses" in caplog.text

    answered = yaml.safe_load(draft.read_text())
    for column in answered["columns"]:
        column.pop("confirm", None)
    draft.write_text(yaml.safe_dump(answered))
    require_confirmed(settings, stack)
