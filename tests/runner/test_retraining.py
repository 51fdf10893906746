"""A retraining loop from its start to its end: what it refuses, what it waits for, what serves at last."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import yaml

from churn.errors import ChurnError, GateError, InputError
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.retraining_events import RetrainingLedger
from churn.ledger.stale_months import StaleLedger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import CheckResult
from churn.retraining.evidence import ProbationFacts
from churn.retraining.record import replay
from runner.loop_run import as_yaml
from tests.registry.places import MODEL
from tests.runner.loop_places import DEPLOYED
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]

FELL = ProbationFacts(outcomes=500, roc_auc=0.7, roc_auc_upper=0.72, days=3)


def events(loop):
    with RetrainingLedger(loop.places.ledger_url) as ledger:
        return ledger.events(MODEL)


def record(loop, number=1):
    return loop.folder / "retraining" / f"retraining-{MODEL}-{number}.json"


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


def test_the_same_snapshot_again_is_nothing_to_do(loop):
    loop.start()

    outcome = loop.start()

    assert (outcome.status, outcome.result.status) == ("completed", "unchanged")
    assert "Nothing to do" in outcome.result.sentence
    assert {each.loop for each in events(loop)} == {1}


def test_a_snapshot_older_than_the_last_is_refused(loop, tables):
    policy = {"policy": {"per_year": 9}}
    loop.script.training = "hold"
    loop.start(**policy)
    loop.source = tables / "later.csv"
    loop.start(**policy)
    loop.source = tables / "risen.csv"

    with pytest.raises(InputError, match="older than the last one: an earlier loop"):
        loop.start(**policy)

    assert loop.places.agreed() == "1"


def test_a_snapshot_stated_to_be_of_an_earlier_day_is_refused(loop, tables):
    loop.script.training = "hold"
    loop.start(as_of="2020-11-01")
    loop.source = tables / "later.csv"

    with pytest.raises(
        InputError, match="is of 2020-10-31, older than the last one, of 2020-11-01"
    ):
        loop.start(as_of="2020-10-31")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("unlabelled", "Churn"),
        ("stayed", "same outcome"),
        ("others", "as if they were those of other customers"),
    ],
)
def test_labels_that_are_none_or_of_other_customers_are_refused(loop, tables, table, sentence):
    loop.source = tables / f"{table}.csv"

    with pytest.raises(InputError, match=sentence):
        loop.start()

    assert (loop.ran, events(loop), loop.places.agreed()) == ([], [], "1")


def test_without_a_champion_it_is_refused(loop):
    (loop.places.store / "current.json").unlink()

    with pytest.raises(InputError, match="There is no champion"):
        loop.start()


def test_a_policy_that_does_not_ask_starts_nothing(loop):
    outcome = loop.start(trigger="policy")

    assert (outcome.status, outcome.result.status, events(loop)) == ("completed", "not needed", [])


@pytest.mark.parametrize(("version", "asks"), [("1", True), ("7", False)])
def test_alarms_of_another_version_are_none_of_the_champion(loop, version, asks):
    found = CheckResult(finding="watch", reason="", rows=500, reference_rows=7043, p_value=1e-4)
    with DriftLedger(loop.places.ledger_url) as ledger:
        for window in ("first", "second"):
            ledger.record_check(
                found, model=MODEL, version=version, kind="batch", window=window,
                policy=AlarmPolicy(),
            )  # fmt: skip

    outcome = loop.start(trigger="policy")

    assert (outcome.result.status == "promoted") is asks


def test_what_staying_costs_starts_a_loop_where_it_is_more_than_the_price(loop, tables):
    loop.source = tables / "recoded.csv"

    expensive = loop.start(trigger="policy", policy={"cost": {"retraining": 1e9}})
    assert (expensive.result.status, loop.ran) == ("not needed", [])
    found = loop.start(trigger="policy", policy={"cost": {"retraining": 2_000}}).result

    (month,) = found.inputs.trigger.evidence.stale  # the same table twice is one month
    assert month.lost - 1.645 * month.error > 2_000 / 12
    assert "a retraining costs 2,000" in found.decision.judged[0].sentence
    assert replay(record(loop))[1]


def test_what_was_lost_adds_up_over_the_starts(loop, tables):
    given = {"trigger": "policy", "policy": {"cost": {"retraining": 1e9}}}
    loop.source = tables / "recoded.csv"
    loop.start(as_of="2026-10-31", **given)
    loop.source = tables / "later.csv"
    loop.start(as_of="2026-11-29", **given)

    with StaleLedger(loop.places.ledger_url) as ledger:
        recoded, later = ledger.months(MODEL, "1")
    assert [each.until.date().isoformat() for each in (recoded, later)] == [
        "2026-11-01", "2026-11-30",
    ]  # fmt: skip
    assert later.lost < recoded.lost


def test_without_the_cost_rule_nothing_is_measured(loop):
    loop.start(trigger="policy")

    with StaleLedger(loop.places.ledger_url) as ledger:
        assert ledger.months(MODEL, "1") == ()


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


def test_a_challenger_kept_back_late_says_what_is_in_production(loop, monkeypatch):
    from runner import retraining_steps

    judge = loop._judgement

    def fail_later():
        loop.script.gates, passed = "fail", judge()
        monkeypatch.setattr(retraining_steps, "_in_production", lambda _: "9")
        return passed

    loop._judgement = fail_later

    assert loop.start().result.decision.serving == "9"


def test_the_kill_switch_holds_a_start_and_stops_a_loop_between_two_steps(loop, tmp_path):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: prices are being corrected\n")
    held = loop.start(switches=str(file))
    assert (held.status, held.exit_code, events(loop)) == ("held", 3, [])
    assert "prices are being corrected" in held.error

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


def test_a_newer_snapshot_takes_the_place_of_one_that_was_never_trained(loop, tables):
    train = loop._training

    def broken():
        loop._training = train
        raise InputError("The bucket went away.")

    loop._training = broken
    with pytest.raises(InputError, match="went away"):
        loop.start()
    loop.source = tables / "later.csv"

    outcome = loop.start()

    assert (outcome.result.status, outcome.result.loop, outcome.model_version) == (
        "promoted",
        2,
        "2",
    )
    assert outcome.result.inputs.trigger.evidence.started == ()  # no cooldown for what was replaced
    given_up = json.loads(record(loop).read_text("utf-8"))
    assert given_up["decision"]["outcome"] == "given up"
    assert "A newer snapshot came" in (
        loop.folder / "reports" / f"retraining-{MODEL}-1.html"
    ).read_text("utf-8")


def test_a_setting_of_a_pipeline_that_is_unknown_is_refused_before_anything_runs(loop):
    with pytest.raises(InputError, match="Did you mean 'candidates'"):
        loop.start(runs={"training": {"candidats": ["gbm"]}})

    assert (loop.ran, events(loop)) == ([], [])


@pytest.mark.parametrize("value", [1e-06, 0.5, "yes", "s3://a b: c", ["a"], {"a": 1e-05}, None, 3])
def test_settings_of_the_pipelines_are_read_as_they_were_given(value):
    assert yaml.safe_load(as_yaml(value)) == value
