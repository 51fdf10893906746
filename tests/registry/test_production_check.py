"""What the doctor does about production: it settles what a killed command has left, and says so."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from churn.ledger.changes import ChangeLedger
from churn.settings.pipelines import NamedModel, PromotionPipelineSettings
from registry.production import Production
from runner import production_check
from runner.pipeline_catalog import find_pipeline
from runner.production_check import check_production
from runner.request import PreparedRun
from stacks.spec import load_stack
from tests.registry.places import Killed


@pytest.fixture
def findings(tmp_path, monkeypatch):
    """What the doctor finds in the folder of the places."""

    def look(mlflow=None):
        spec = load_stack("local")
        monkeypatch.setattr("stacks.apply.apply_stack", lambda *_: SimpleNamespace(spec=spec))
        monkeypatch.setattr("stacks.apply.activate", lambda _: None)
        monkeypatch.setattr("registry.mlflow_alias.stack_client", lambda: mlflow)
        entry = find_pipeline("promotion")
        settings = PromotionPipelineSettings(model=NamedModel(name="telco-churn"))
        return list(check_production(PreparedRun(entry, spec, settings, tmp_path, None)))

    return look


def test_where_nothing_was_ever_promoted_zenml_is_not_started(tmp_path, monkeypatch):
    def started(*_):
        raise AssertionError("ZenML was started")

    monkeypatch.setattr("stacks.apply.apply_stack", started)
    entry, spec = find_pipeline("promotion"), load_stack("local")

    prepared = PreparedRun(entry, spec, PromotionPipelineSettings(), tmp_path, None)

    assert list(check_production(prepared)) == []
    assert list(tmp_path.iterdir()) == []


def test_where_all_places_agree_the_version_is_named(places, findings):
    places.promote("1")

    (finding,) = findings(places.mlflow)

    assert (finding.subject, finding.status) == ("production", "fine")
    assert finding.finding == "telco-churn: version 1, as every place says"


def test_every_model_of_the_folder_is_looked_at(places, findings):
    places.promote("1")
    with ChangeLedger(places.ledger_url) as ledger:
        (change,) = [each for each in ledger.changes("telco-churn") if not each.open]
        ledger.record_change(change.model_copy(update={"model": "another-churn"}))

    another, telco = findings(places.mlflow)

    assert another.finding.startswith("another-churn: nothing is published in ")
    assert telco.finding == "telco-churn: version 1, as every place says"


def test_what_a_killed_command_has_left_is_settled_and_reported(places, findings, monkeypatch):
    places.promote("1")
    with monkeypatch.context() as patch, places.failing("pointer", "before", Killed()):
        patch.setattr(Production, "_take_back", lambda *_: None)
        with pytest.raises(Killed):
            places.promote("2")

    (finding,) = findings(places.mlflow)

    assert finding.finding == (
        "telco-churn: a promotion of version 2 was broken off and is undone now: "
        "version 1 is in production"
    )
    assert places.agreed() == "1"


def test_a_command_at_work_is_left_alone(places, findings, monkeypatch):
    places.promote("1")
    monkeypatch.setattr(production_check, "_LOCK_SECONDS", 0.05)

    with ChangeLedger(places.ledger_url) as ledger, ledger.changing():
        (finding,) = findings(places.mlflow)

    assert finding.status == "note"
    assert "is changing what is in production" in finding.finding


def test_a_server_that_does_not_answer_stops_no_other_check(places, findings, monkeypatch):
    def down(_name):
        raise ConnectionError("MLflow is down")

    places.promote("1")
    monkeypatch.setattr(places.mlflow, "get_registered_model", down)

    (finding,) = findings(places.mlflow)

    assert (finding.status, finding.finding) == ("note", "could not be compared: MLflow is down")


def test_a_lost_store_is_named(places, findings):
    places.promote("1")
    (places.store / "current.json").unlink()

    (finding,) = findings(places.mlflow)

    assert "nothing is published in" in finding.finding


def test_a_bundle_that_is_gone_from_the_store_is_broken_and_says_how_it_comes_back(
    places, findings
):
    places.promote("1")
    shutil.rmtree(places.store / "bundles" / "1")

    (finding,) = findings(places.mlflow)

    assert (finding.subject, finding.status) == ("production", "broken")
    assert "the bundle of version 1, which is in production, is missing" in finding.finding
    assert "run.py --pipeline promotion --set challenger=1" in finding.remedy
