"""Promotion and rollback through the command line: stages, bundle, alias and ledger change together."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time

import pytest

from churn.ledger.records import Ledger
from churn.scoring import Scorer
from churn.scoring.bundle import bundle_folder, current, history
from churn.scoring.manifest import read_manifest
from registry.code_version import git_commit
from tests.pipelines.conftest import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(trained):
    """The store that services follow, in the first run's output folder."""
    return trained.output / "production" / "telco-churn-demo"


@pytest.fixture(scope="module")
def ledger(trained):
    with Ledger(f"sqlite:///{trained.output / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def waiting(command_line, trained, again):
    """Version 1 passed its gates; nobody has approved it."""
    options = ("--set", "challenger=1", "--set", "approval=required")
    return command_line.run("promotion", trained.output, *options)


@pytest.fixture(scope="module")
def waited(waiting, place, state):
    """What was in production while it waited."""
    return {"stages": state()["versions"], "store": place.exists()}


@pytest.fixture(scope="module")
def first(command_line, trained, waited):
    """The same, with a person's word."""
    approval = ("--set", "approve.person=Ada", "--set", "approve.version=1")
    options = ("--set", "challenger=1", "--set", "approval=required")
    return command_line.run("promotion", trained.output, *options, *approval)


@pytest.fixture(scope="module")
def held(command_line, trained, first):
    """Version 2 against version 1, on fewer rows than are asked for."""
    options = ("--set", "challenger=2", "--set", "floors.minimum_rows=5000")
    return command_line.run("promotion", trained.output, *options)


@pytest.fixture(scope="module")
def after_held(held, place, state):
    return {"stages": state()["versions"], "current": current(place).version}


@pytest.fixture(scope="module")
def second(command_line, trained, after_held):
    """Version 2 against version 1."""
    return command_line.run("promotion", trained.output, "--set", "challenger=2")


@pytest.fixture(scope="module")
def after_second(second, place, state):
    return {"stages": state()["versions"], "current": current(place).version}


@pytest.fixture(scope="module")
def dry_run_rollback(command_line, trained, after_second):
    return command_line.run("rollback", trained.output, "--set", "dry_run=true")


@pytest.fixture(scope="module")
def after_dry_run(dry_run_rollback, place):
    return current(place).version


@pytest.fixture(scope="module")
def killed(command_line, trained, after_dry_run, place, state):
    """A rollback that was killed while it waited for the store's lock: its stage was changed by then."""
    with (place / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        started = subprocess.Popen(
            command_line.command(trained.output, pipeline="rollback"),
            cwd=command_line.typed_in,
            env=command_line.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + PATIENCE
            while stage_of(state()["versions"], 1) != "production":
                assert started.poll() is None
                assert time.monotonic() < until
        finally:
            started.kill()
            started.wait()
    return stage_of(state()["versions"], 1), current(place).version


@pytest.fixture(scope="module")
def doctored(killed, command_line, trained, root, place, state):
    """What the doctor says then, and what is in production after it."""
    completed = subprocess.run(
        [sys.executable, str(root / "run.py"), "--doctor", "--json"],
        cwd=command_line.typed_in,
        env=command_line.environment | {"CHURN_HOME": str(trained.output)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    found = json.loads(completed.stdout)
    said = [each["finding"] for each in found if each["subject"] == "production"]
    return said, stage_of(state()["versions"], 2), current(place).version


@pytest.fixture(scope="module")
def restored(command_line, trained, doctored):
    return command_line.run("rollback", trained.output, "--set", "reason=complaints")


def stage_of(stages, number):
    return next(stage for _, version, stage in stages if version == number)


def test_a_model_that_waits_for_a_person_is_not_promoted(waiting, waited):
    assert waiting.code == 3
    assert waiting.result["status"] == "held"
    assert "waits for a person" in waiting.result["error"]
    assert "approve.version=1" in waiting.result["error"]
    assert stage_of(waited["stages"], 1) != "production"
    assert not waited["store"]


def test_with_an_approval_the_first_model_goes_into_production(first, place, ledger):
    assert first.code == 0, first.stderr
    assert (first.result["model_version"], first.result["stage"]) == ("1", "production")
    assert "approved by Ada" in first.stderr
    assert ledger.approval("telco-churn-demo", "1").person == "Ada"
    assert history(place)[0].version == "1"


def test_without_a_champion_the_record_says_that_floors_applied(first, ledger):
    records = [each for each in ledger.decisions("telco-churn-demo") if each.version == "1"]

    assert records
    assert all(each.champion_version is None for each in records)
    assert "no champion yet" in records[0].decision.basis


def test_its_bundle_scores_as_the_model_did(first, zenml_run, place, root, contract):
    import numpy as np

    from churn.data import acquire
    from churn.features.encoding import encode

    scorer = Scorer.load(bundle_folder(place, "1"))
    table = acquire("bundled", contract, root=root, cache=place / "unused")

    scores = scorer.score_many(encode(table.frame, table.contract))

    assert np.array_equal(scores.probability, np.array(zenml_run["scores"]))
    assert 0 < scorer.threshold < 1
    assert scorer.manifest.metrics["gate_rows"]["roc_auc"] > 0.8
    assert not list(place.rglob("*.pkl"))


def test_too_little_evidence_holds_and_changes_nothing(held, after_held, ledger):
    assert held.code == 3
    assert held.result["status"] == "held"
    assert "fewer than the 5,000 required" in held.result["error"]
    assert stage_of(after_held["stages"], 1) == "production"
    assert after_held["current"] == "1"
    newest = next(each for each in ledger.decisions("telco-churn-demo") if each.version == "2")
    assert newest.champion_version == "1"


def test_a_challenger_as_good_takes_over_and_the_champion_is_archived(second, after_second):
    assert second.code == 0, second.stderr
    assert (second.result["model_version"], second.result["stage"]) == ("2", "production")
    assert stage_of(after_second["stages"], 1) == "archived"
    assert after_second["current"] == "2"
    assert "It was compared with version 1" in " ".join(second.stderr.split())


def test_a_dry_run_of_a_rollback_says_what_it_would_do_and_does_nothing(
    dry_run_rollback, after_dry_run
):
    assert dry_run_rollback.code == 0, dry_run_rollback.stderr
    assert "version 1 would be put back instead of 2" in dry_run_rollback.stderr
    assert after_dry_run == "2"


def test_after_a_kill_between_stage_and_pointer_the_doctor_undoes_what_was_begun(
    killed, doctored, ledger
):
    assert killed == ("production", "2")  # the two disagreed
    said, stage, serving = doctored

    (demo,) = [each for each in said if each.startswith("telco-churn-demo: ")]
    assert "a rollback of version 1 was broken off and is undone now" in demo
    assert (stage, serving) == ("production", "2")
    changes = [each for each in ledger.changes("telco-churn-demo") if each.command == "rollback"]
    assert [each.status for each in changes[-2:]] == ["undone", "intended"]


def test_a_rollback_restores_stage_pointer_and_alias(restored, place, state, command_line, trained):
    registry = command_line.query(
        "query_mlflow_registry.py", str(trained.output), knows_the_project=False
    )
    stages = state()["versions"]

    assert restored.code == 0, restored.stderr
    assert current(place).version == "1"
    assert stage_of(stages, 1) == "production"
    assert stage_of(stages, 2) == "archived"
    assert registry["zenml_versions"][registry["alias"]["champion"]] == "1"


def test_a_rollback_is_on_record_with_its_reason(restored, ledger):
    newest = ledger.decisions("telco-churn-demo")[0]

    assert (newest.version, newest.champion_version) == ("1", "2")
    assert "complaints" in newest.decision.basis


def test_store_and_bundle_say_who_approved_which_code_made_it_and_when(first, place):
    promoted = history(place)[0]
    manifest = read_manifest(bundle_folder(place, "1"))

    assert promoted.by == "Ada"
    assert manifest.created < promoted.at
    commit = git_commit()
    assert (manifest.git_commit or "")[:40] == (commit or "")[:40]


def test_what_is_in_production_already_is_not_promoted_again(restored, command_line, trained):
    again = command_line.run("promotion", trained.output, "--set", "challenger=1")

    assert again.code == 0
    assert again.result["error"] is None
    already = "version 1 is published as a demonstration already"
    assert f"{already}; there is nothing new to promote" in again.stderr


def test_an_approval_of_another_version_is_refused(restored, command_line, trained, place):
    approval = ("--set", "approve.person=Ada", "--set", "approve.version=1")
    run = command_line.run("promotion", trained.output, "--set", "challenger=2", *approval)

    assert run.code == 2
    assert "the challenger is version 2" in run.result["error"]
    assert current(place).version == "1"
