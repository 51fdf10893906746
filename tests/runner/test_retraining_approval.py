"""A person's approval in the retraining loop: by command, in ZenML, in time or late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import ChurnError, InputError
from churn.ledger.records import Ledger
from churn.ledger.retraining_events import RetrainingLedger
from runner.zenml_approval import Answer
from tests.registry.places import MODEL
from tests.runner.loop_places import events


def test_an_approval_is_waited_for_and_holds_when_nobody_gives_it(loop, monkeypatch, caplog):
    rules = {"approval": {"required": True, "days": 3}, "probation": {"days": 0}}
    waiting = loop.start(rules=rules)
    assert (waiting.status, waiting.exit_code, loop.places.agreed()) == ("held", 3, "1")

    with pytest.raises(InputError, match=r"version 2 of loop 1 of .* waits for approval"):
        loop.start(rules=rules, approve={"person": "Ada", "version": "7"})
    real = RetrainingLedger.clock
    with monkeypatch.context() as patch:
        patch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=2))
        assert loop.start(rules=rules).result.decision.next == "approve"
    approved = loop.start(
        rules=rules, data={"source": "bundled"}, approve={"person": "Ada", "version": "2"}
    )

    assert (approved.status, loop.places.agreed()) == ("completed", "2")
    assert approved.result.inputs.approval.person == "Ada"
    assert "is not looked at" not in caplog.text


@pytest.mark.parametrize("required", [True, False])
def test_an_approval_opens_no_loop(loop, required):
    rules = {"approval": {"required": required}, "probation": {"days": 0}}

    with pytest.raises(InputError, match=r"approve\.version is 2, but no loop of .* is open"):
        loop.start(rules=rules, approve={"person": "Ada", "version": "2"})

    assert (loop.ran, events(loop), loop.places.agreed()) == ([], [], "1")


def test_an_approval_after_the_end_of_its_loop_is_not_dropped_without_a_word(loop):
    loop.start()
    before = events(loop)

    with pytest.raises(InputError, match=r"but no loop of .* is open"):
        loop.start(approve={"person": "Ada", "version": "2"})

    assert events(loop) == before


@pytest.mark.parametrize(
    ("rules", "step"),
    [
        ({"approval": {"required": True}, "shadow": {"predictions": 50}}, "shadow"),
        ({"probation": {"days": 30}}, "watch"),
    ],
)
def test_an_approval_is_refused_where_the_loop_waits_for_something_else(loop, rules, step):
    serving = loop.start(rules=rules).model_version
    before = events(loop)

    with pytest.raises(InputError, match=f"does not wait for an approval.* step is '{step}'"):
        loop.start(rules=rules, approve={"person": "Ada", "version": "2"})

    assert (events(loop), loop.places.agreed()) == (before, serving)


def test_the_same_approval_goes_on_where_a_promotion_was_broken_off(loop, monkeypatch):
    from runner import retraining_steps

    def broken(_loop):
        raise ChurnError("The store went away.")

    given = {"rules": {"approval": {"required": True}, "probation": {"days": 0}}}
    loop.start(**given)
    given["approve"] = {"person": "Ada", "version": "2"}
    with monkeypatch.context() as patch:
        patch.setitem(retraining_steps.STEPS, "promote", broken)
        with pytest.raises(ChurnError, match="went away"):
            loop.start(**given)

    assert (loop.start(**given).status, loop.places.agreed()) == ("completed", "2")


@pytest.mark.parametrize(("approved", "outcome"), [(True, "promoted"), (False, "kept")])
def test_an_answer_in_zenml_is_an_approval_or_ends_the_loop(loop, monkeypatch, approved, outcome):
    from runner import retraining_steps

    rules = {"approval": {"required": True, "in_zenml": True}, "probation": {"days": 0}}
    conditions, answers = (
        [],
        iter([None, None, Answer("ada@example.com", approved, datetime.now(UTC))]),
    )

    def ask(condition, _question):
        conditions.append(condition)
        return next(answers)

    monkeypatch.setattr(retraining_steps, "ask_in_zenml", ask)
    assert loop.start(rules=rules).exit_code == 3
    assert loop.start(rules=rules).result.decision.next == "approve"
    found = loop.start(rules=rules).result

    assert found.decision.outcome == outcome
    assert f"ada@example.com has {'approved' if approved else 'declined'} it." in found.text()
    assert set(conditions) == {f"{MODEL}-2-loop-1"}


def test_who_declined_in_zenml_is_not_overruled_by_an_approval(loop, monkeypatch):
    from runner import retraining_steps

    rules = {"approval": {"required": True, "in_zenml": True}, "probation": {"days": 0}}
    answers = iter([None, Answer("bob@example.com", approved=False, at=datetime.now(UTC))])
    monkeypatch.setattr(retraining_steps, "ask_in_zenml", lambda *_: next(answers))
    loop.start(rules=rules)

    found = loop.start(rules=rules, approve={"person": "Eve", "version": "2"}).result

    assert (found.decision.outcome, loop.places.agreed()) == ("kept", "1")
    assert "bob@example.com has declined it." in found.sentence


def test_a_no_in_zenml_counts_however_late_it_is(loop, monkeypatch):
    from runner import retraining_steps

    rules = {"approval": {"required": True, "in_zenml": True, "days": 3}, "probation": {"days": 0}}
    late = datetime.now(UTC) + timedelta(days=3.5)
    answers = iter([None, Answer("bob@example.com", approved=False, at=late)])
    monkeypatch.setattr(retraining_steps, "ask_in_zenml", lambda *_: next(answers))
    loop.start(rules=rules)
    with Ledger(loop.places.ledger_url) as ledger:
        ledger.record_approval(MODEL, "2", "Ada")
    real = RetrainingLedger.clock
    monkeypatch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=4))

    found = loop.start(rules=rules).result

    assert (found.decision.outcome, loop.places.agreed()) == ("kept", "1")
    assert "bob@example.com has declined it." in found.sentence


def test_an_approved_version_is_not_asked_about_when_production_changes_meanwhile(
    loop, monkeypatch
):
    from runner import retraining_steps

    rules = {"approval": {"required": True, "in_zenml": True}, "probation": {"days": 0}}
    judge, questions = loop._judgement, []

    def another_command_promotes():
        monkeypatch.setattr(retraining_steps, "in_production", lambda _: "9")
        with Ledger(loop.places.ledger_url) as ledger:
            ledger.record_approval(MODEL, "2", "Ada")
        return judge()

    loop._judgement = another_command_promotes
    monkeypatch.setattr(retraining_steps, "ask_in_zenml", lambda *given: questions.append(given))

    found = loop.start(rules=rules).result

    assert (found.inputs.approval.person, questions) == ("Ada", [])
    assert "serving" in {name for each in events(loop) for name in each.facts}


@pytest.mark.parametrize(
    ("days", "outcome", "sentence"),
    [(2.9, "promoted", ""), (3.1, "kept", "Nobody approved it in time")],
)
def test_an_answer_in_zenml_counts_by_when_it_was_given(loop, monkeypatch, days, outcome, sentence):
    from runner import retraining_steps

    rules = {"approval": {"required": True, "in_zenml": True, "days": 3}, "probation": {"days": 0}}
    at = datetime.now(UTC) + timedelta(days=days)
    answers = iter([None, Answer("ada@example.com", approved=True, at=at)])
    monkeypatch.setattr(retraining_steps, "ask_in_zenml", lambda *_: next(answers))
    loop.start(rules=rules)
    real = RetrainingLedger.clock
    monkeypatch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=4))

    found = loop.start(rules=rules).result

    assert found.decision.outcome == outcome
    assert sentence in found.sentence


@pytest.mark.parametrize("approve", [{}, {"person": "Ada", "version": "2"}])
def test_an_approval_that_comes_too_late_holds(loop, monkeypatch, approve):
    rules = {"approval": {"required": True, "days": 3}, "probation": {"days": 0}}
    loop.start(rules=rules)
    real = RetrainingLedger.clock
    monkeypatch.setattr(RetrainingLedger, "clock", lambda self: real(self) + timedelta(days=4))

    outcome = loop.start(rules=rules, approve=approve)

    assert (outcome.result.decision.outcome, loop.places.agreed()) == ("kept", "1")
    assert "Nobody approved it in time" in outcome.result.sentence
