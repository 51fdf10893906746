"""The command line: options, refusals before anything starts, and exit codes, one sentence each."""

from __future__ import annotations

import gzip
import json
import socket
from pathlib import Path
from unittest import mock

import pytest

import run
from churn.settings.pipelines import DataSettings
from runner.inputs import check_table
from runner.pipeline_catalog import PIPELINES

pytestmark = pytest.mark.usefixtures("own_process")

KEYS = {
    "pipeline",
    "status",
    "run_id",
    "stack",
    "seconds",
    "model_version",
    "stage",
    "metrics",
    "artifacts",
    "dashboard",
}


@pytest.fixture
def train(tmp_path, capfd, monkeypatch):
    """Types a training run whose files would go to a folder of the test; starting one fails."""
    started = mock.Mock(side_effect=AssertionError("ZenML was started"))
    monkeypatch.setattr("stacks.apply.apply_stack", started)

    def run_training(*arguments: str) -> tuple[int, str, str]:
        place = f"output.folder={tmp_path / 'state'}"
        code = run.main(["--pipeline", "training", "--set", place, *arguments])
        said = capfd.readouterr()
        assert not started.called
        return code, said.out, said.err

    return run_training


def sentence(err: str) -> str:
    """The one line that says why; nothing follows it."""
    *before, last = err.strip().splitlines()
    assert all(line == "" or " on " in line for line in before), before
    status, _, reason = last.partition(": ")
    assert status == "refused"
    return reason


@pytest.fixture(scope="module")
def text(root, contract) -> str:
    """The header and the first 30 real customers."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    return "\n".join(lines) + "\n"


def cells(text: str, row: int, column: str, value: str) -> str:
    """The table with one cell changed; row 1 is the first customer."""
    lines = text.splitlines()
    place = lines[0].split(",").index(column)
    changed = lines[row].split(",")
    changed[place] = value
    lines[row] = ",".join(changed)
    return "\n".join(lines) + "\n"


def without(text: str, column: str) -> str:
    place = text.splitlines()[0].split(",").index(column)
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows) + "\n"


def beside(text: str, column: str) -> str:
    """The table with one more column of that name."""
    header, *rows = text.splitlines()
    return "\n".join([f"{header},{column}", *(f"{row},x" for row in rows)]) + "\n"


FAULTS = {
    "missing column": (lambda t: without(t, "Contract"), "Column 'Contract' is missing"),
    "extra column": (lambda t: beside(t, "ShoeSize"), "Column 'ShoeSize' is not in contract"),
    "renamed column": (
        lambda t: t.replace("MonthlyCharges", "monthly_charges", 1),
        "Column 'MonthlyCharges' is missing, but the file has 'monthly_charges'",
    ),
    "column there twice": (lambda t: beside(t, "tenure"), "Column 'tenure' is there twice"),
    "unknown category": (
        lambda t: cells(t, 17, "Contract", "Biennial"),
        "Column 'Contract' row 17: 'Biennial' is not one of Month-to-month, One year, Two year.",
    ),
    "text in a number": (
        lambda t: cells(t, 4, "MonthlyCharges", "many"),
        "Column 'MonthlyCharges' row 4: 'many' is not a number.",
    ),
    "blank total of an old customer": (
        lambda t: cells(t, 3, "TotalCharges", " "),
        "Column 'TotalCharges' row 3: the cell is blank, which is allowed only where 'tenure' is 0",
    ),
    "empty file": (lambda t: "", "is empty. Name a file with a header and customers."),
    "header only": (
        lambda t: t.splitlines()[0] + "\n",
        "has no rows. Name a table with customers.",
    ),
    "no CSV": (lambda t: b"\x89PNG\r\n\x1a\n\0\0", "is a PNG picture, not a CSV table."),
    "wrong encoding": (
        lambda t: t.replace("Mailed check", "Chèque", 1).encode("latin-1"),
        "is not UTF-8 on line 3",
    ),
    "truncated gzip": (
        lambda t: gzip.compress(t.encode())[:-20],
        "is a gzip file that ends too early.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_before_anything_starts(train, text, tmp_path, fault):
    spoil, reason = FAULTS[fault]
    content = spoil(text)
    path = tmp_path / "customers.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    code, out, err = train("--set", f"data.source={path}")

    assert code == 2
    assert out == ""
    assert reason in sentence(err)
    assert list((tmp_path / "state").iterdir()) == []


def test_a_table_that_is_not_there_is_named(train, tmp_path):
    code, _, err = train("--set", f"data.source={tmp_path / 'nowhere.csv'}")

    assert code == 2
    assert sentence(err) == (
        f"{tmp_path}/nowhere.csv does not exist. Name an existing file with --set data.source=PATH."
    )
    assert list((tmp_path / "state").iterdir()) == []


def test_a_relative_path_starts_where_the_command_is_typed(train, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.csv").write_text(cells(text, 2, "tenure", "x"), encoding="utf-8")

    code, _, err = train("--set", "data.source=here.csv")

    assert code == 2
    assert sentence(err).startswith("Column 'tenure' row 2: 'x' is not a number")


def test_bytes_other_than_the_stated_ones_are_refused(train, text, tmp_path):
    (tmp_path / "customers.csv").write_text(text, encoding="utf-8")

    code, _, err = train(
        "--set", f"data.source={tmp_path / 'customers.csv'}", "--set", f"data.sha256={'ab' * 32}"
    )

    assert code == 2
    assert f"but {'ab' * 32} is expected" in sentence(err)
    assert list((tmp_path / "state").iterdir()) == []


def test_an_address_that_nobody_answers_at_is_refused(train, tmp_path):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, but not listened on
        address = f"http://127.0.0.1:{unheard.getsockname()[1]}/customers.csv"
        code, _, err = train("--set", f"data.source={address}", "--set", f"data.sha256={'ab' * 32}")

    assert code == 2
    assert sentence(err).startswith(f"{address} cannot be fetched: ConnectError.")
    assert [path for path in (tmp_path / "state").rglob("*") if path.is_file()] == []


def test_an_address_without_a_checksum_is_refused(train):
    code, _, err = train("--set", "data.source=https://example.org/customers.csv")

    assert code == 2
    assert sentence(err).startswith("https://example.org/customers.csv needs a checksum")


def test_an_output_folder_that_cannot_be_written_to_is_refused(train, tmp_path):
    (tmp_path / "file").write_text("in the way")

    code, _, err = train("--set", f"output.folder={tmp_path / 'file' / 'state'}")

    assert code == 2
    assert sentence(err) == (
        f"The folder {tmp_path}/file/state cannot be written to (Not a directory); make it "
        "writable or name another with --set output.folder=PATH."
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--set", "profil=quick"], "Unknown setting 'profil' in --set"),
        (["--set", "workers=many"], "Setting 'workers' in --set must be a whole number"),
        (["--set", "foo"], "--set 'foo' is not key=value, such as --set profile=quick."),
        (["--set", "profile=fast"], "There is no profile 'fast' in"),
        (["--config", "nowhere.yaml"], "The configuration nowhere.yaml does not exist"),
        (
            ["--stack", "local-mlfow"],
            "There is no stack 'local-mlfow' in stacks/definitions/; known: local-mlflow, ",
        ),
        (
            ["--set", "data.contract=nowhere.yaml"],
            "nowhere.yaml does not exist. Name an existing file with --set data.contract=PATH",
        ),
    ],
    ids=["key", "type", "no value", "profile", "config", "stack", "contract"],
)
def test_a_wrong_name_or_setting_is_refused_in_one_sentence(train, tmp_path, arguments, reason):
    code, out, err = train(*arguments)

    assert (code, out) == (2, "")
    assert reason in sentence(err)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unknown_pipeline_lists_the_known_ones(capfd):
    code = run.main(["--pipeline", "trainin"])
    known = ", ".join(each.name for each in PIPELINES)
    expected = f"There is no pipeline 'trainin'; known: {known}. Did you mean 'training'?"
    assert (code, sentence(capfd.readouterr().err)) == (2, expected)


def test_the_way_a_file_was_saved_is_not_its_content(root, contract, text, tmp_path):
    seen = []
    for name, content in {
        "plain.csv": text.encode(),
        "windows.csv": ("\ufeff" + text.replace("\n", "\r\n")).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
        settings = DataSettings(source=str(tmp_path / name))
        seen.append(check_table(settings, root=root, downloads=tmp_path / "downloads"))

    assert [Path(each.location).name for each in seen] == ["plain.csv", "windows.csv"]
    assert seen[0].contract_digest == seen[1].contract_digest == contract.digest()
    assert seen[0].fingerprint != seen[1].fingerprint
    assert not (tmp_path / "downloads").exists()


def test_a_changed_contract_or_table_is_another_input(root, text, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    terms = (root / "data" / "contracts" / "telco.yaml").read_text(encoding="utf-8")
    (tmp_path / "telco.yaml").write_text(terms, encoding="utf-8")
    settings = DataSettings(source=str(path), contract=str(tmp_path / "telco.yaml"))

    def look():
        return check_table(settings, root=root, downloads=tmp_path)

    first = look()
    (tmp_path / "telco.yaml").write_text(
        terms.replace("psi_critical: 0.5", "psi_critical: 0.4"), encoding="utf-8"
    )
    second = look()
    path.write_text(cells(text, 1, "MonthlyCharges", "30.05"), encoding="utf-8")
    third = look()

    assert first.contract_digest != second.contract_digest == third.contract_digest
    assert first.fingerprint == second.fingerprint != third.fingerprint


@pytest.mark.parametrize(
    "arguments",
    [["--set", "profil=quick"], ["--stack", "nowhere"], ["--set", "data.source=/nowhere.csv"]],
    ids=["setting", "stack", "data"],
)
def test_a_refusal_is_one_json_object_with_every_key(train, arguments):
    code, out, err = train("--json", *arguments)

    outcome = json.loads(out)
    assert code == 2
    assert set(outcome) >= KEYS
    assert outcome["status"] == "refused"
    assert outcome["pipeline"] == "training"
    assert outcome["error"] == sentence(err)
    assert (outcome["run_id"], outcome["model_version"], outcome["stage"]) == (None, None, None)
    assert (outcome["metrics"], outcome["artifacts"]) == ({}, {})
