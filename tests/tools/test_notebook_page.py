"""The exploration of a table that is not the shipped one: every section, or a sentence why not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml


def clinic(folder: Path, *, roles: bool) -> list[str]:
    """A contract of another business and its 300 customers; returns the tool's arguments."""
    generator = np.random.default_rng(11)
    tenure, plan = generator.integers(0, 60, 300), generator.integers(0, 2, 300)
    left = generator.random(300) < 0.5 - 0.3 * plan
    lines = ["patient,years_in,package,gone"]
    lines += [
        f"P{i:04},{tenure[i]},{('small', 'large')[plan[i]]},{('no', 'yes')[int(left[i])]}"
        for i in range(300)
    ]
    (folder / "patients.csv").write_text("\n".join(lines) + "\n")
    number = {"unit": "weeks", "minimum": 0, "maximum": 600, "integer": True}
    package = {"categories": ["small", "large"], "months": [1, 12]}
    columns = [
        {"name": "patient", "kind": "id", "meaning": "number"},
        {"name": "years_in", "kind": "number", "meaning": "so far", **number},
        {"name": "package", "kind": "category", "meaning": "what was bought", **package},
        {"name": "gone", "kind": "target", "meaning": "gone", "no_value": "no", "yes_value": "yes"},
    ]
    if roles:
        columns[1]["roles"], columns[2]["roles"] = ["tenure"], ["contract_term"]
    bounds = {"minimum": 0, "maximum": 1}
    contract = {
        "name": "clinic",
        "version": 1,
        "title": "Patients of a clinic",
        "columns": columns,
        "snapshot": {"path": "none.csv", "sha256": "0" * 64},
        "expectations": {
            "rows": {"minimum": 1, "maximum": 1000},
            "target_rate": bounds,
            "psi_warning": 0.1,
            "psi_critical": 0.5,
        },
    }
    (folder / "clinic.yaml").write_text(yaml.safe_dump(contract, sort_keys=False))
    return ["--contract", str(folder / "clinic.yaml"), "--source", str(folder / "patients.csv")]


def explore(root: Path, arguments: list[str], output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "tools" / "notebook_page.py", *arguments, "--output", output]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("roles", [True, False])
def test_another_contract_is_explored_in_its_own_words(root, contract, tmp_path, roles):
    ran = explore(root, clinic(tmp_path, roles=roles), tmp_path / "page.html")

    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = re.sub(r'src="data:[^"]*"', "", page)  # the letters of a picture are by chance
    assert "Patients of a clinic: 300 customers" in page
    assert "package:" in page
    assert ("Left out: contract 'clinic' needs exactly one number" in page) is not roles
    assert ("are still there at package large" in page) is roles
    # The prose of every page speaks of tenure, and of a contract.
    foreign = {*contract.names, "telco", "USD"} - {"tenure", "Contract"}
    assert sorted(name for name in foreign if name in page) == []
    assert "P0001" not in page


def test_a_table_that_does_not_follow_the_contract_is_refused_in_a_sentence(root, tmp_path):
    arguments = clinic(tmp_path, roles=True)
    (tmp_path / "patients.csv").write_text("patient,gone\nP1,no\n")

    ran = explore(root, arguments, tmp_path / "page.html")

    assert ran.returncode == 2
    assert "InputError: " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "page.html").exists()


def test_the_notebook_says_its_format_to_jupyter(root):
    import jupytext

    notebook = jupytext.read(root / "notebooks" / "eda.py")

    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert json.dumps(notebook.metadata["jupytext"]).count("percent") >= 1
