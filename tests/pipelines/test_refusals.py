"""A table the gate refuses and a model the floors hold back: told, kept, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def impossible(root, tmp_path_factory) -> Path:
    """The shipped table, but two customers have been there for less than no time."""
    header, *rows = (root / "data" / "raw" / "telco.csv").read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("tenure")
    for row in (41, 2000):
        cells = rows[row - 1].split(",")
        cells[place] = f"-{cells[place]}"
        rows[row - 1] = ",".join(cells)
    path = tmp_path_factory.mktemp("impossible") / "customers.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def before(again, state):
    """What ZenML knew before."""
    return state()


@pytest.fixture(scope="module")
def refused_run(command_line, before, impossible, tmp_path_factory):
    output = tmp_path_factory.mktemp("refused")
    return command_line.train(output, "--stack", "local", "--set", f"data.source={impossible}")


@pytest.fixture(scope="module")
def held(command_line, refused_run, trained):
    """The first run's model, under a floor that it cannot reach and another name."""
    return command_line.train(
        trained.output,
        *("--stack", "local"),
        *("--set", "floors.roc_auc_lower=0.99", "--set", "model.name=held-back-demo"),
    )


@pytest.fixture(scope="module")
def after(held, state):
    """What ZenML knows after both."""
    return state()


def test_an_impossible_table_is_refused_by_column_and_rows(refused_run):
    assert refused_run.code == 2
    assert refused_run.result["status"] == "refused"
    sentence = refused_run.result["error"]
    assert "'range of tenure'" in sentence
    assert "rows 41 and 2,000" in sentence
    assert "\n" not in sentence
    assert sentence in refused_run.stderr
    assert "✗ accept data" in refused_run.stderr
    assert "Traceback" not in refused_run.stderr


def test_the_page_of_a_refused_table_is_kept_and_its_alert_and_nothing_else(refused_run):
    alert, page = sorted(path for path in refused_run.output.rglob("*") if path.is_file())

    assert alert == refused_run.output / "alerts.jsonl"
    assert len(alert.read_text(encoding="utf-8").splitlines()) == 1
    assert page.parent == refused_run.output / "reports"
    assert page.name.endswith("-quality.html")
    assert "tenure" in page.read_text(encoding="utf-8")
    assert f"report: {page}" in refused_run.stderr


def test_a_model_below_its_floor_is_held_back_and_says_why(held):
    assert held.code == 3, held.stderr
    assert held.result["status"] == "held"
    assert "0.99" in held.result["error"]
    assert held.result["metrics"]["protocol.roc_auc"] > 0.84
    assert Path(held.result["report"]).is_file()


def test_a_held_model_is_registered_for_the_record_without_a_stage(held):
    assert (held.result["model_version"], held.result["stage"]) == ("1", None)
    assert "held-back-demo version 1 (no stage" in held.stderr


def test_what_was_fitted_for_other_floors_is_not_fitted_again(held):
    for step in ("select model", "measure protocol", "train model"):
        assert f"= {step} " in held.stderr, step
    assert "✓ decide promotion" in held.stderr


def test_what_was_good_stays_as_it_was(before, after, trained, tracked_runs):
    ours = [each[:2] for each in before["versions"] if each[0] == "telco-churn-demo"]
    assert ours == [["telco-churn-demo", 1], ["telco-churn-demo", 2]]
    assert after["versions"] == [*before["versions"], ["held-back-demo", 1, None]]
    assert before["active_stack"] == after["active_stack"] == "default"
    assert tracked_runs(trained) == 1
    new = [status for run, status in after["runs"].items() if run not in before["runs"]]
    assert sorted(new) == ["completed", "failed"]
