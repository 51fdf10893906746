"""A retraining loop from its start to its end: what it refuses, what it waits for, what serves at last."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import yaml

from churn.errors import ChurnError, GateError, InputError
from churn.ledger.retraining_events import RetrainingLedger
from churn.retraining.evidence import ProbationFacts
from churn.retraining.record import replay
from runner.loop_run import as_yaml
from tests.registry.places import MODEL
from tests.runner.loop_places import DEPLOYED, events, record
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]

FELL = ProbationFacts(outcomes=500, roc_auc=0.7, roc_auc_upper=0.72, days=3)


def test_a_challenger_that_passes_everything_serves(loop):
    outcome = loop.start()

    assert (outcome.status, outcome.exit_code, outcome.model_version) == ("completed", 0, "2")
    assert loop.ran == ["training", "judge", "promotion", "deployment"]
    assert loop.places.agreed() == "2"
    assert outcome.result.decision.outcome == "promoted"
    assert outcome.result.inputs.training.news == ("MonthlyCharges moved.",)
    assert "MonthlyCharges moved." in outcome.report.read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "ran"),
    [
        ({"training": "hold"}, ["training"]),
        ({"training": "reject"}, ["training"]),
        ({"gates": "fail"}, ["training", "judge"]),
        ({"gates": "insufficient evidence"}, ["training", "judge"]),
    ],
)
def test_one_gate_that_does_not_pass_leaves_the_champion(loop, script, ran):
    for name, value in script.items():
        setattr(loop.script, name, value)

    outcome = loop.start()

    assert (outcome.status, outcome.exit_code, outcome.model_version) == ("held", 3, "1")
    assert loop.ran == ran
    assert loop.places.agreed() == "1"
    assert not (loop.folder / DEPLOYED).exists()


def test_a_challenger_that_answers_wrongly_is_taken_back(loop):
    loop.script.smoke_fails = True

    outcome = loop.start()

    assert (outcome.result.decision.outcome, outcome.status) == ("rolled back", "held")
    assert loop.places.agreed() == "1"


def test_a_fall_in_probation_goes_back_at_a_later_start(loop):
    rules = {"probation": {"days": 30}}
    first = loop.start(rules=rules)
    assert (first.status, first.result.decision.next, loop.places.agreed()) == (
        "completed", "watch", "2",
    )  # fmt: skip

    loop.script.probation = FELL
    second = loop.start(rules=rules)

    assert (second.status, second.result.decision.outcome) == ("held", "rolled back")
    assert loop.places.agreed() == "1"
    assert loop.ran[-2:] == ["rollback", "deployment"]


def test_a_rollback_by_hand_ends_the_probation(loop):
    rules = {"probation": {"days": 30}}
    loop.start(rules=rules)
    loop.places.roll_back()

    found = loop.start(rules=rules).result.decision

    assert (found.outcome, found.serving, loop.places.agreed()) == ("rolled back", "1", "1")
    assert "Another command has put version 1 into production" in found.reason
    assert loop.ran.count("rollback") == 0


def test_probation_ends_when_its_time_is_over(loop):
    rules = {"probation": {"days": 30}}
    loop.start(rules=rules)
    loop.script.probation = ProbationFacts(outcomes=500, days=30.1)

    assert loop.start(rules=rules).result.decision.outcome == "promoted"
    assert events(loop)[-1].kind == "closed"


def test_the_record_replays_to_the_same_bytes(loop):
    loop.start()

    found, same = replay(record(loop))

    assert same
    assert found.inputs.snapshot.rows == 1200
    assert found.decision.trigger.triggers[0].reason == "Ada asks for it."


CHANGES = [
    (("inputs", "training", "verdict"), "hold"),
    (("inputs", "trigger", "evidence", "asked_by"), "Eve"),
    (("inputs", "trigger", "policy", "per_year"), 0),
    (("decision", "trigger", "triggers", 0, "reason"), "Nobody asks for it."),
    (("decision", "serving"), "1"),
    (("status",), "kept"),
    (("sentence",), "All is well."),
]


def test_a_record_that_was_changed_does_not_replay(loop):
    loop.start()
    text = record(loop).read_text("utf-8")

    for place, value in CHANGES:
        changed = part = json.loads(text)
        for name in place[:-1]:
            part = part[name]
        part[place[-1]] = value
        record(loop).write_text(json.dumps(changed), "utf-8")
        assert not replay(record(loop))[1], place


def test_two_loops_on_the_same_evidence_decide_the_same(loop):
    loop.script.training = "hold"
    first = loop.start().result
    with RetrainingLedger(loop.places.ledger_url) as ledger:
        facts = [each.facts for each in ledger.events(MODEL) if each.facts]
    assert [sorted(each) for each in facts] == [
        ["champion", "code", "rules", "snapshot", "trigger"], ["run", "training"],
    ]  # fmt: skip
    assert replay(record(loop))[0].decision == first.decision


def test_switches_that_cannot_be_read_do_not_keep_a_bad_version_in_production(loop, tmp_path):
    rules = {"probation": {"days": 30}}
    loop.start(rules=rules)
    loop.script.probation = FELL

    found = loop.start(rules=rules, switches=str(tmp_path / "missing.yaml"))

    assert (found.result.decision.outcome, loop.places.agreed()) == ("rolled back", "1")


def test_a_rollback_is_over_when_the_old_version_is_served(loop):
    rules = {"probation": {"days": 30}}
    loop.start(rules=rules)
    loop.script.probation = FELL
    deployment = loop._deployment

    def not_served():
        loop._deployment = deployment
        done = SimpleNamespace(status="rolled back", serving="2", sentence="version 1 is not fit.")
        return SimpleNamespace(deployment=done, run_id="run")

    loop._deployment = not_served
    with pytest.raises(ChurnError, match="but it is not served: version 1 is not fit"):
        loop.start(rules=rules)

    assert loop.start(rules=rules).result.decision.outcome == "rolled back"
    assert (loop.ran.count("rollback"), loop.places.agreed()) == (1, "1")


def test_a_loop_that_was_decided_stays_so_when_its_version_is_deleted(loop, monkeypatch):
    from runner import retraining_steps

    def broken(_loop):
        raise ChurnError("The store went away.")

    loop.script.gates = "fail"
    with monkeypatch.context() as patch:
        patch.setitem(retraining_steps.STEPS, "close", broken)
        with pytest.raises(ChurnError, match="went away"):
            loop.start()
    monkeypatch.setattr(retraining_steps, "find_version", lambda *_: None)

    found = loop.start().result.decision

    assert (found.outcome, found.judged[-1].name) == ("kept", "gates")
    assert events(loop)[-1].kind == "closed"


def test_a_challenger_kept_back_late_says_what_is_in_production(loop, monkeypatch):
    from runner import retraining_steps

    judge = loop._judgement

    def fail_later():
        loop.script.gates, passed = "fail", judge()
        monkeypatch.setattr(retraining_steps, "in_production", lambda _: "9")
        return passed

    loop._judgement = fail_later

    assert loop.start().result.decision.serving == "9"


def test_a_version_that_a_person_puts_into_production_meanwhile_is_named(loop, monkeypatch):
    from runner import retraining_steps

    rules = {"approval": {"required": True}, "probation": {"days": 0}}
    loop.start(rules=rules)
    with monkeypatch.context() as patch:
        patch.setattr(retraining_steps, "in_production", lambda _: "9")
        found = loop.start(rules=rules).result
    assert (found.decision.next, found.decision.serving) == ("approve", "9")
    assert found.sentence == "Loop 1: version 9 serves. It waits for a person."

    ended = loop.start(rules=rules, approve={"person": "Ada", "version": "2"}).result

    assert (ended.decision.serving, loop.places.agreed()) == ("2", "2")
    assert replay(record(loop))[1]


def test_the_kill_switch_holds_a_start_and_stops_a_loop_between_two_steps(loop, tmp_path):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: prices are being corrected\n")
    held = loop.start(switches=str(file))
    assert (held.status, held.exit_code, events(loop)) == ("held", 3, [])
    assert "prices are being corrected" in held.error
    assert f"Nothing starts until {file} allows it." in held.error

    file.write_text("maintenance: [{start: 2000-01-01T00:00:00Z, end: 2999-01-01T00:00:00Z}]\n")
    assert f"Nothing starts until {file} allows it." in loop.start(switches=str(file)).error

    file.write_text("stop: ''\n")
    train = loop._training

    def stop_after_training():
        file.write_text("stop: not now\n")
        return train()

    loop._training = stop_after_training
    with pytest.raises(GateError, match=r"stopped before 'judge'.*not now"):
        loop.start(switches=str(file))
    assert loop.places.agreed() == "1"

    file.write_text("stop: ''\n")
    assert loop.start(switches=str(file)).model_version == "2"
    assert loop.ran.count("training") == 1


def test_what_is_in_production_is_deployed_and_watched_though_the_loop_is_stopped(loop, tmp_path):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: ''\n")
    loop.script.smoke_fails = True
    promote = loop.places.promote

    def stop_after_promotion(*given):
        file.write_text("stop: not now\n")
        return promote(*given)

    loop.places.promote = stop_after_promotion

    outcome = loop.start(switches=str(file))

    assert loop.ran[-2:] == ["deployment", "deployment"]
    assert (outcome.result.decision.outcome, loop.places.agreed()) == ("rolled back", "1")


def test_a_version_that_another_command_puts_there_is_not_said_to_be_back(loop, monkeypatch):
    from runner import retraining_steps

    def another_is_deployed():
        done = SimpleNamespace(status="deployed", serving="9", sentence="version 9: deployed")
        return SimpleNamespace(deployment=done, run_id="run")

    loop._deployment = another_is_deployed
    monkeypatch.setattr(retraining_steps, "in_production", lambda _: "9")

    found = loop.start().result.inputs

    assert found.rollback.sentence == "Another command has put version 9 into production meanwhile."
    assert "rollback" not in loop.ran


@pytest.mark.parametrize("content", ["stop: [", "stpo: x", "maintenance: [{start: 1}]", None])
def test_switches_that_cannot_be_read_stop_everything(loop, tmp_path, content):
    file = tmp_path / "switches.yaml"
    if content is not None:
        file.write_text(content)

    with pytest.raises(InputError, match="so nothing is retrained"):
        loop.start(switches=str(file))


def test_a_step_that_fails_is_done_again_by_the_next_start(loop):
    deployment = loop._deployment

    def broken():
        loop._deployment = deployment
        raise ChurnError("The server went away.")

    loop._deployment = broken
    with pytest.raises(ChurnError, match="went away"):
        loop.start()
    assert events(loop)[-1].kind == "released"
    assert json.loads(record(loop).read_text("utf-8"))["decision"]["next"] == "deploy"

    outcome = loop.start()

    assert (outcome.status, loop.places.agreed()) == ("completed", "2")
    assert loop.ran == ["training", "judge", "promotion", "deployment", "deployment"]


def test_a_setting_of_a_pipeline_that_is_unknown_is_refused_before_anything_runs(loop):
    with pytest.raises(InputError, match="Did you mean 'candidates'"):
        loop.start(runs={"training": {"candidats": ["gbm"]}})

    assert (loop.ran, events(loop)) == ([], [])


@pytest.mark.parametrize("value", [1e-06, 0.5, "yes", "s3://a b: c", ["a"], {"a": 1e-05}, None, 3])
def test_settings_of_the_pipelines_are_read_as_they_were_given(value):
    assert yaml.safe_load(as_yaml(value)) == value
