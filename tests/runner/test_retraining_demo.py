"""The demonstration of the loop prints within 80 columns, and its faulty table is one that no rule sees."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from churn.data.quality import check
from churn.errors import ChurnError
from runner import demonstration, retraining_demo
from runner.demonstration import WIDTH, Demonstration, leaky_table


def test_a_stage_fits_a_terminal(tmp_path, capsys):
    demo = Demonstration(tmp_path, 8000)

    demo.report(
        "A title", "what was detected " * 20, "what was decided " * 20, tmp_path / "page.html"
    )

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "1. A title"
    assert lines[-1].split() == ["page", "page.html"]


@pytest.fixture
def leaky(tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "ROWS", 600)
    return pd.read_csv(leaky_table(tmp_path), dtype={"SeniorCitizen": str})


def test_the_faulty_table_is_accepted(leaky, contract):
    report = check(leaky, contract, None)

    assert [each.name for each in report.failures] == []
    assert Path(demonstration.CONTRACT).is_file()


@pytest.mark.parametrize(("outcome", "expected"), [("kept", "kept"), ("kept", "promoted")])
def test_a_demonstration_that_goes_another_way_fails(outcome, expected):
    found = SimpleNamespace(
        decision=SimpleNamespace(outcome=outcome), sentence="Loop 2: version 1 serves."
    )

    with nullcontext() if outcome == expected else pytest.raises(ChurnError, match="version 1"):
        retraining_demo._require(found, outcome=expected)
