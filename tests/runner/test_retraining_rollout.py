"""What a challenger must show between its gates and its promotion: shadow, canary, switches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import GateError
from churn.ledger.predictions import Prediction, PredictionLedger
from churn.ledger.retraining_events import RetrainingLedger
from churn.retraining.evidence import ServiceCounts
from churn.scoring.beside import Beside, read_beside
from tests.registry.places import MODEL

QUIET = ServiceCounts(requests=100, errors=0, seconds=0.1)


@pytest.fixture(autouse=True)
def quiet_service(monkeypatch):
    """A service that answers and that nobody asks anything; the port of a real one is not looked at."""
    from runner import retraining_steps

    monkeypatch.setattr(retraining_steps, "read_service_counts", lambda *_: QUIET)


def test_the_time_for_an_approval_begins_when_it_is_asked_for(loop, monkeypatch):
    rules = SHADOW | {"approval": {"required": True, "days": 3}}
    loop.start(rules=rules)
    answered(loop, 60)
    answered(loop, 60, "shadow", "2")
    real = RetrainingLedger.clock
    monkeypatch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=4))

    waiting = loop.start(rules=rules)

    assert (waiting.result.decision.outcome, waiting.result.decision.next) == ("open", "approve")
    monkeypatch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=8))
    assert loop.start(rules=rules).result.decision.outcome == "kept"


@pytest.mark.parametrize("rule", ["approval", "shadow"])
def test_a_loop_whose_version_was_deleted_is_given_up(loop, tables, monkeypatch, rule):
    from runner import retraining_steps

    rules = {"approval": {"required": True}, "shadow": {"predictions": 9 * (rule == "shadow")}}
    loop.start(rules=rules)
    with monkeypatch.context() as patch:
        patch.setattr(retraining_steps, "find_version", lambda *_: None)
        outcome = loop.start(rules=rules)

    assert (outcome.result.decision.outcome, outcome.exit_code) == ("given up", 3)
    assert outcome.result.sentence.startswith("Loop 1: version 1 serves. Its version is gone")
    assert (read_beside(loop.places.store), loop.places.agreed()) == (Beside(), "1")
    loop.source = tables / "later.csv"
    following = loop.start().result
    assert (
        len(following.inputs.trigger.evidence.started) == 1
    )  # something was trained, so it counts


def answered(loop, count, role="production", version="1", probability=0.25, *, first=0):
    with PredictionLedger(loop.places.ledger_url) as ledger:
        ledger.record(
            [
                Prediction(
                    predicted_at=datetime.now(UTC),
                    prediction_id=f"p-{number}",
                    customer=None,
                    version=version,
                    role=role,
                    source="api",
                    probability=probability,
                    decision=False,
                    input_hash="",
                    model=MODEL,
                )
                for number in range(first, first + count)
            ]
        )


SHADOW = {"shadow": {"predictions": 50}, "probation": {"days": 0}}


def test_a_shadow_scores_beside_the_champion_before_it_serves(loop):
    first = loop.start(rules=SHADOW)
    assert (first.status, first.result.decision.next) == ("completed", "shadow")
    assert read_beside(loop.places.store) == Beside(shadow="2")
    answered(loop, 20)
    answered(loop, 20, "shadow", "2")
    assert loop.start(rules=SHADOW).result.decision.next == "shadow"
    answered(loop, 60)
    answered(loop, 60, "shadow", "2", 0.3)

    outcome = loop.start(rules=SHADOW)

    assert (outcome.status, loop.places.agreed()) == ("completed", "2")
    assert read_beside(loop.places.store) == Beside()


def test_a_canary_whose_scores_shift_is_taken_away(loop):
    rules = {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}}
    loop.start(rules=rules)
    assert read_beside(loop.places.store) == Beside(canary="2", percent=10)
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.6)

    outcome = loop.start(rules=rules)

    assert (outcome.result.decision.outcome, outcome.exit_code) == ("kept", 3)
    assert "its mean probability is 0.600" in outcome.result.sentence
    assert (read_beside(loop.places.store), loop.places.agreed()) == (Beside(), "1")


def test_a_start_that_stays_takes_a_bad_canary_away_at_once(loop, monkeypatch):
    from runner import retraining

    def customers_come(_seconds):
        answered(loop, 100)
        answered(loop, 60, "canary", "2", 0.6)

    monkeypatch.setattr(retraining.time, "sleep", customers_come)
    canary = {"percent": 10.0, "predictions": 50, "watch_minutes": 5}

    outcome = loop.start(rules={"canary": canary, "probation": {"days": 0}})

    assert (outcome.result.decision.outcome, outcome.exit_code) == ("kept", 3)
    assert read_beside(loop.places.store) == Beside()


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ([(100, 0, 0.1), (200, 0, 0.2)], "promoted"),
        ([(100, 50, 0.1), (200, 53, 0.2)], "kept"),  # three errors in a hundred requests
        ([(100, 0, 0.1), (200, 0, 9.0)], "kept"),  # 89 ms a request
        ([(100, 50, 0.1), (30, 0, 0.1)], "promoted"),  # started anew
        ([(100, 0, 0.1), None], "kept"),  # it does not answer
        ([None, None], "kept"),  # nor did it before
    ],
)
def test_errors_and_latency_of_the_service_take_a_canary_away(loop, monkeypatch, counts, outcome):
    from runner import retraining_steps

    rules = {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}}
    monkeypatch.setattr(retraining_steps, "read_service_counts", reading(counts))
    loop.start(rules=rules)
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.26)

    found = loop.start(rules=rules)

    assert found.result.decision.outcome == outcome
    assert loop.places.agreed() == ("2" if outcome == "promoted" else "1")
    assert read_beside(loop.places.store) == Beside()


def reading(counts):
    """A service that has answered so much by each look; None where it does not answer."""
    given = iter(counts)

    def read(_url, _key):
        found = next(given)
        names = ("requests", "errors", "seconds")
        return found and ServiceCounts(**dict(zip(names, found, strict=True)))

    return read


def test_a_service_that_is_away_when_the_canary_begins_counts_from_its_first_answer(
    loop, monkeypatch
):
    from runner import retraining_steps

    rules = {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}}
    counts = [None, (100, 50, 9.0), (200, 50, 9.1)]
    monkeypatch.setattr(retraining_steps, "read_service_counts", reading(counts))
    loop.start(rules=rules)
    answered(loop, 60, "canary", "2", 0.26)  # nobody knows how the service did
    assert loop.start(rules=rules).result.decision.reason.startswith("The canary has answered 0 of")
    answered(loop, 100, first=100)
    answered(loop, 60, "canary", "2", 0.26, first=100)

    found = loop.start(rules=rules).result

    assert (found.decision.outcome, found.inputs.canary.errors) == ("promoted", 0)


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ([(100, 9, 0.1), (100, 0, 0.1), (150, 9, 0.2), (150, 1, 0.2)], "promoted"),
        ([(100, 9, 0.1), (100, 0, 0.1), (150, 9, 0.2), (150, 2, 0.2)], "kept"),  # 2 in 100
        ([(100, 0, 0.1), (100, 0, 0.1), (190, 0, 0.2), (110, 0, 9.0)], "kept"),  # 90 ms
        ([(900, 9, 0.1), (100, 0, 0.1), (90, 0, 0.1), (200, 0, 0.2)], "promoted"),  # one anew
        ([(100, 0, 0.1), (100, 0, 0.1), (200, 0, 0.2), None], "kept"),  # one does not answer
    ],
)
def test_errors_and_latency_are_those_of_all_replicas(loop, monkeypatch, counts, outcome):
    from runner import retraining_steps

    canary = {"percent": 10.0, "predictions": 50, "service": ["http://one", "http://other"]}
    rules = {"canary": canary, "probation": {"days": 0}}
    monkeypatch.setattr(retraining_steps, "read_service_counts", reading(counts))
    loop.start(rules=rules)
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.26)

    found = loop.start(rules=rules).result

    assert found.decision.outcome == outcome
    away = counts[-1] is None
    assert found.decision.reason.startswith("A replica of the service did not answer") is away


def test_where_steps_run_in_pods_no_service_of_this_machine_is_asked(loop, monkeypatch):
    from runner import loop_run, retraining_steps

    rules = {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}}
    monkeypatch.setattr(loop_run, "runs_in_pods", lambda _: True)
    monkeypatch.setattr(retraining_steps, "read_service_counts", reading([]))
    loop.start(rules=rules)
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.26)

    found = loop.start(rules=rules).result

    assert (found.decision.outcome, found.inputs.canary.errors) == ("promoted", None)


def test_the_kill_switch_does_not_leave_a_canary_unwatched(loop, tmp_path):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: ''\n")
    given = {
        "switches": str(file),
        "rules": {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}},
    }
    loop.start(**given)
    file.write_text("stop: not now\n")
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.6)

    assert loop.start(**given).result.decision.outcome == "kept"
    assert read_beside(loop.places.store) == Beside()


@pytest.mark.parametrize("stopped", [True, False])
def test_a_canary_that_is_over_answers_nobody_while_the_loop_waits(loop, tmp_path, stopped):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: ''\n")
    canary = {"percent": 10.0, "predictions": 50}
    rules = {"canary": canary, "approval": {"required": True}, "probation": {"days": 0}}
    loop.start(switches=str(file), rules=rules)
    answered(loop, 100)
    answered(loop, 60, "canary", "2", 0.26)
    file.write_text(f"stop: {'not now' * stopped}\n")

    if stopped:
        with pytest.raises(GateError, match="stopped before 'approve'"):
            loop.start(switches=str(file), rules=rules)
    else:
        assert loop.start(switches=str(file), rules=rules).result.decision.next == "approve"

    assert (loop.places.agreed(), read_beside(loop.places.store)) == ("1", Beside())


def test_the_kill_switch_lets_no_canary_begin(loop, tmp_path):
    file = tmp_path / "switches.yaml"
    file.write_text("stop: ''\n")
    judge = loop._judgement

    def stop_after_judging():
        file.write_text("stop: not now\n")
        return judge()

    loop._judgement = stop_after_judging
    rules = {"canary": {"percent": 10.0, "predictions": 50}, "probation": {"days": 0}}

    with pytest.raises(GateError, match="stopped before 'canary'"):
        loop.start(switches=str(file), rules=rules)

    assert read_beside(loop.places.store) == Beside()
