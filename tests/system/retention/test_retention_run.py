"""Retention through the command line: from a trained model to lists on the disk."""

from __future__ import annotations

import pytest
from pyarrow import csv

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def stop(tmp_path_factory):
    path = tmp_path_factory.mktemp("stop") / "stop.csv"
    path.write_text("customerID,reason\nC03957,asked not to be called\nunknown,\n")
    return path


@pytest.fixture(scope="module")
def planned(command_line, trained, stop):
    promoted = command_line.run("promotion", trained.output)
    assert promoted.code == 0, promoted.stderr
    export = trained.output / "crm.parquet"
    options = ("--set", f"suppression={stop}", "--set", f"export={export}")
    return command_line.run("retention", trained.output, *options)


@pytest.fixture(scope="module")
def lists(planned):
    (day,) = [each for each in (planned.output / "retention").iterdir() if each.is_dir()]
    return {name: csv.read_csv(day / f"{name}.csv") for name in ("call-list", "not-called")}


def test_the_run_ends_well_and_says_what_it_has_decided(planned, lists):
    assert planned.code == 0, planned.stderr
    figures = planned.result["metrics"]

    assert figures["customers"] == 7043
    assert figures["called"] == len(lists["call-list"]) <= 2500
    assert figures["expected_cost"] <= 15_000
    assert figures["gap"] <= 0.001
    assert figures["profit_lower"] < figures["expected_profit"] < figures["profit_upper"]
    assert {"call_list", "campaign_plan", "customer_cohorts"} <= set(planned.result["artifacts"])
    assert (planned.output / "crm.parquet").is_file()


def test_every_customer_is_on_one_list_with_a_reason(lists):
    called, others = lists["call-list"], lists["not-called"]

    assert len(called) + len(others) == 7043
    assert set(others["risk_band"].to_pylist()) == {"low", "medium", "high", "very_high"}
    why = dict(zip(others["customer_id"].to_pylist(), others["why"].to_pylist(), strict=True))
    assert why["C03957"] == "not called: asked not to be called"
    assert all(each.startswith("not called: ") for each in why.values())
    profit = called["expected_profit"].to_pylist()
    assert profit == sorted(profit, reverse=True)


def test_a_playbook_at_fault_stops_before_anything_starts(command_line, trained, root, tmp_path):
    path = tmp_path / "playbook.yaml"
    text = (root / "data" / "playbooks" / "telco.yaml").read_text()
    path.write_text(text.replace("capacity: 400", "capacity: 0"))

    refused = command_line.run("retention", trained.output, "--set", f"playbook={path}")

    assert refused.code == 2
    assert (
        f"{path} line 22: 'offers.one_year.capacity' must be at least 1" in refused.result["error"]
    )
    assert refused.result["run_id"] is None
