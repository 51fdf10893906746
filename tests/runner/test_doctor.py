"""The doctor: nothing to say where all is well, a finding and a remedy where it is not."""

from __future__ import annotations

import json
import shutil
import socket

import pytest

import run
from runner import doctor
from runner.doctor import diagnose
from stacks.spec import stack_names


@pytest.fixture(autouse=True)
def no_ports(monkeypatch):
    """What else runs on this machine, or is in production on it, is not what is tested."""
    monkeypatch.setattr(doctor, "_PORTS", {})
    monkeypatch.setattr(doctor, "_production", lambda *_: iter(()))


@pytest.fixture
def tree(root, tmp_path):
    """A checkout that a test may break: what the doctor looks at, and no more."""
    for folder in ("data", "configs"):
        shutil.copytree(root / folder, tmp_path / folder)
    shutil.copy(root / "requirements.lock", tmp_path)
    return tmp_path


def about(subject: str, root, stack: str = "local-mlflow") -> doctor.Diagnosis:
    (finding,) = (each for each in diagnose(stack, root=root) if each.subject == subject)
    return finding


def test_a_checkout_that_was_set_up_is_fine(root):
    findings = diagnose("local-mlflow", root=root)

    assert {each.subject for each in findings} == {
        "Python",
        "packages",
        "data",
        "settings",
        "stack",
        "ZenML",
        "disk",
    }
    assert [each for each in findings if each.status == "broken"] == []
    assert all(bool(each.remedy) == (each.status != "fine") for each in findings)


def test_looking_writes_nothing(tree):
    before = sorted(tree.rglob("*"))

    diagnose("local-mlflow", root=tree)

    assert sorted(tree.rglob("*")) == before


def test_an_altered_snapshot_is_broken_and_git_brings_it_back(tree):
    with (tree / "data" / "raw" / "telco.csv").open("a") as file:
        file.write("one more line\n")

    finding = about("data", tree)

    assert finding.status == "broken"
    assert "instead of 6cfdc80ae458" in finding.finding
    assert finding.remedy == "Restore it with `git checkout -- data/raw/telco.csv`."


@pytest.mark.parametrize("lost", ["raw/telco.csv", "contracts/telco.yaml"])
def test_a_lost_file_of_the_data_is_broken_and_named(tree, lost):
    (tree / "data" / lost).unlink()

    finding = about("data", tree)

    assert finding.status == "broken"
    assert lost in finding.finding
    assert "git checkout" in finding.remedy


def test_a_missing_lock_is_broken(tree):
    (tree / "requirements.lock").unlink()

    finding = about("packages", tree)

    assert (finding.status, finding.finding) == ("broken", "requirements.lock is missing")
    assert finding.remedy


def test_missing_packages_break_runs_and_other_versions_are_worth_a_note(tree):
    lock = tree / "requirements.lock"
    lock.write_text("# comment == none\nnumpy==0.0.1\npandas==0.0.1 ; python_version < '4'\n")
    other = about("packages", tree)
    lock.write_text("numpy==0.0.1\nno-such-package==1.0  # via nobody\n")
    missing = about("packages", tree)

    assert other.status == "note"
    assert other.finding.startswith("2 of another version (numpy ")
    assert "instead of 0.0.1" in other.finding
    assert missing.status == "broken"
    assert missing.finding.startswith("1 missing (no-such-package); 1 of another version (numpy ")
    assert other.remedy == missing.remedy == "Run `make setup`."


def test_an_invalid_config_is_broken_and_its_fault_reported(tree):
    (tree / "configs" / "training.yaml").write_text("splitt: {}\n")

    finding = next(each for each in diagnose("local", root=tree) if each.status == "broken")

    assert finding.subject == "settings"
    assert finding.finding.startswith("Unknown setting 'splitt' in ")
    assert "Did you mean 'split'?" in finding.finding
    assert finding.remedy == "Correct configs/training.yaml."


def test_an_unknown_stack_is_broken_and_the_known_ones_named(root):
    finding = about("stack", root, stack="nowhere")

    assert finding.status == "broken"
    assert f"known: {', '.join(stack_names())}." in finding.finding


def test_the_stack_that_was_asked_for_is_the_one_looked_at(root):
    assert "experiment_tracker: churn-mlflow" in about("stack", root).finding
    assert "experiment_tracker" not in about("stack", root, stack="local").finding


def test_a_full_disk_is_worth_a_note(root, monkeypatch):
    monkeypatch.setattr(doctor, "_FREE_GIGABYTES", 10**9)

    finding = about("disk", root)

    assert finding.status == "note"
    assert finding.remedy.startswith("Free some space")


def test_a_taken_port_is_worth_a_note(root, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # not listened on, so nobody answers
        ports = [taken.getsockname()[1], free.getsockname()[1]]
        monkeypatch.setattr(doctor, "_PORTS", dict.fromkeys(ports, "pages"))

        findings = [about(f"port {port}", root) for port in ports]

    assert [each.status for each in findings] == ["note", "fine"]
    assert findings[0].finding == "in use, for pages"
    assert findings[0].remedy


@pytest.fixture
def broken(tree, monkeypatch):
    """What `run.py --doctor` would find in a checkout without its data."""
    shutil.rmtree(tree / "data")
    monkeypatch.setattr("runner.doctor.diagnose", lambda stack: diagnose(stack, root=tree))


def test_every_finding_is_printed_with_its_remedy_below(broken, capsys):
    assert run.main(["--doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    (place,) = (number for number, line in enumerate(lines) if "✗ data" in line)
    assert "does not exist" in lines[place]
    assert lines[place + 1].strip() == "→ Restore it with `git checkout -- data`."
    assert any("✓ Python" in line for line in lines)


def test_the_findings_are_printed_as_json(broken, capsys):
    assert run.main(["--doctor", "--stack", "local", "--json"]) == 1

    findings = {each["subject"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(findings["data"]) == {"subject", "standing", "finding", "remedy"}
    assert findings["data"]["standing"] == "broken"
    assert findings["stack"]["finding"].startswith("local (")


def test_notes_alone_are_no_failure(root, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_FREE_GIGABYTES", 10**9)

    assert run.main(["--doctor"]) == 0

    assert "! disk" in capsys.readouterr().out
