"""The features pipeline from the command line: built once, again, as it was, or refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DAY = ("--set", "observed=2026-11-20")


@pytest.fixture(scope="module")
def built(command_line, trained, tmp_path_factory):
    """The shipped table's features; only one run at a time, and the first one makes the folder."""
    assert trained.code == 0
    run = command_line.run("features", tmp_path_factory.mktemp("features"), *DAY)
    assert run.code == 0, run.stderr
    return run


def test_it_says_what_was_built_and_where(built, root):
    result, metrics = built.result["result"], built.result["metrics"]

    assert (result["status"], metrics["rows"], metrics["features"]) == ("built", 7043, 28)
    assert metrics["online_fields_set"] == 7043 * 19
    folder = Path(result["place"])
    assert folder.parent == built.output / "data" / "processed" / "2026-11-20"
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert record["stack"] == "local-mlflow"
    assert record["run"].startswith("features-demo-")
    assert Path(built.result["report"]).name.endswith("-features.html")
    assert "28 features" in built.stderr
    assert (built.output / "online-store.db").is_file()


def test_the_same_input_again_builds_nothing_and_says_so(command_line, built):
    again = command_line.run("features", built.output, *DAY)

    assert (again.code, again.result["result"]["status"]) == (0, "unchanged")
    assert "Nothing to build" in again.stderr
    assert again.result["metrics"]["online_customers"] == 0


def test_an_old_day_is_built_again_without_its_source(command_line, built):
    place = Path(built.result["result"]["place"])
    (part,) = place.rglob("*.parquet")
    before = part.read_bytes()
    part.unlink()

    again = command_line.run(
        "features", built.output, "--set", "as_of=2026-11-24", "--set", "data.source=gone.csv"
    )

    assert (again.code, again.result["result"]["status"]) == (0, "restored")
    assert part.read_bytes() == before


def test_a_day_before_all_others_is_refused(command_line, built):
    refused = command_line.run("features", built.output, "--set", "as_of=2020-01-01")

    assert refused.code == 2
    assert "it has: 2026-11-20" in refused.result["error"]


def test_a_table_without_a_column_is_refused_before_anything_is_written(
    command_line, built, root, tmp_path
):
    header, *rows = (root / "data" / "raw" / "telco.csv").read_text("utf-8").splitlines()
    table = tmp_path / "customers.csv"
    table.write_text("\n".join([header.replace("tenure", "months"), *rows]), encoding="utf-8")

    refused = command_line.run(
        "features", tmp_path / "out", "--set", f"data.source={table}"
    )  # fmt: skip

    assert refused.code == 2
    assert "tenure" in refused.result["error"]
    assert not (tmp_path / "out" / "data").exists()
