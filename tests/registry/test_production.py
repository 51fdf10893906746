"""Stage, alias, pointer and ledger agree, whichever write of whichever command fails or is the last."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest

from churn.errors import BundleError, ChurnError, InputError
from churn.ledger.changes import ChangeLedger
from churn.ledger.records import Ledger
from churn.scoring.bundle import history, publish
from churn.scoring.current import CURRENT, Pointer
from registry.production import Production
from tests.registry.places import MODEL, WRITES, Killed

COMMANDS = {
    "first promotion": (None, "1", lambda places: places.promote("1")),
    "promotion": ("1", "2", lambda places: places.promote("2")),
    "rollback": ("2", "1", lambda places: places.roll_back()),
    "deployment": ("2", "1", lambda places: places.withdraw()),
}
"""Name -> the version in production before, the one after, and the command."""

SIDES = [(write, side) for write in WRITES for side in ("before", "after")]


@pytest.fixture(params=COMMANDS)
def command(request, places):
    """A command, with the places as it finds them: name, version before, version after, call."""
    before, after, call = COMMANDS[request.param]
    for version in ("1", "2")[: int(before or 0)]:
        places.promote(version)
    return request.param, before, after, lambda: call(places)


def stages(places):
    return {each.name: each.stage for each in places.control_plane.versions}


def counts(write, side):
    """Whether the change is made when a command ends there."""
    return WRITES.index(write) > 3 or (write, side) == ("pointer", "after")


def test_a_change_moves_all_four_places_and_is_recorded_before_and_after(places, command):
    name, _, after, call = command
    earlier = len(places.rows())

    call()

    assert places.agreed() == after
    kind = name.split()[-1]
    assert places.rows()[earlier:] == [(kind, after, "intended"), (kind, after, "done")]
    assert places.settle() is None


@pytest.mark.parametrize(("write", "side"), SIDES)
def test_a_write_that_fails_leaves_all_places_agreeing(places, command, write, side):
    _, before, after, call = command
    found = stages(places)

    gave_up = OSError("a disk gave up")
    with places.failing(write, side, gave_up), pytest.raises((OSError, ChurnError)) as failed:
        call()

    said = " ".join([str(failed.value), *getattr(failed.value, "__notes__", ())])
    if counts(write, side):
        assert places.pointer == after
        assert f"Version {after} is in production" in said or write == "done"
    else:
        assert places.pointer == before
        assert f"{after} is in production" not in said
        assert stages(places) == found
    if write not in ("intent", "done"):  # else the ledger itself has failed
        assert places.agreed() == places.pointer
    places.settle()
    assert places.agreed() == (after if counts(write, side) else before)


@pytest.mark.parametrize(("write", "side"), SIDES)
def test_the_next_command_settles_what_a_killed_one_has_left(
    places, command, monkeypatch, write, side
):
    _, before, after, call = command
    found, earlier = stages(places), len(places.rows())

    with monkeypatch.context() as nothing_cleans_up, places.failing(write, side, Killed()):
        nothing_cleans_up.setattr(Production, "_take_back", lambda *_: None)
        with pytest.raises(Killed):
            call()
    sentence = places.settle()

    version = after if counts(write, side) else before
    assert places.agreed() == version
    assert places.settle() is None
    statuses = [status for _, _, status in places.rows()[earlier:]]
    if (write, side) in (("intent", "before"), ("done", "after")):
        assert sentence is None
        assert statuses in ([], ["intended", "done"])
    elif version == after:
        assert statuses == ["intended", "done"]
        assert "was broken off and is finished now" in sentence
    else:
        assert statuses == ["intended", "undone"]
        assert "was broken off and is undone now" in sentence
        assert stages(places) == found


def test_with_its_ledger_locked_a_rollback_changes_nothing_and_its_repetition_goes_one_back(places):
    for version in ("1", "2"):
        places.promote(version)
    with sqlite3.connect(places.ledger_url.removeprefix("sqlite:///"), isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match="database is locked"):
            places.roll_back()
    assert places.agreed() == "2"

    assert places.roll_back().version == "1"

    assert places.agreed() == "1"
    with pytest.raises(BundleError, match="no version before 1"):
        places.roll_back()


def three_in_production(places):
    """1, 2 and 1 again: a second rollback would have somewhere to go."""
    for version in ("1", "2", "1"):
        places.promote(version)


def test_a_rollback_that_could_not_record_that_it_is_done_says_so_and_is_not_repeated(places):
    three_in_production(places)
    refused = InputError("The ledger cannot be used: database is locked.")
    with places.failing("done", "before", refused), pytest.raises(ChurnError) as failed:
        places.roll_back()
    assert type(failed.value) is ChurnError  # exit code 1: it is no refusal, since it happened
    assert "Version 2 is in production instead of 1, but the ledger" in str(failed.value)
    assert places.pointer == "2"
    planned = places.roll_back(dry_run=True)
    assert "is back in production already" in planned.sentence
    assert places.rows()[-1] == ("rollback", "2", "intended")

    again = places.roll_back()

    assert (again.status, again.version, again.before) == ("restored", "2", "1")
    assert "is finished now" in again.sentence
    assert places.agreed() == "2"


def test_a_rollback_after_a_promotion_that_was_broken_off_goes_back_behind_it(places, monkeypatch):
    places.promote("1")
    with monkeypatch.context() as patch, places.failing("pointer", "after", Killed()):
        patch.setattr(Production, "_take_back", lambda *_: None)
        with pytest.raises(Killed):
            places.promote("2")

    assert places.roll_back().version == "1"

    assert places.agreed() == "1"


def test_the_decision_to_roll_back_and_its_reason_are_on_record(places):
    for version in ("1", "2"):
        places.promote(version)

    places.roll_back()

    with Ledger(places.ledger_url) as ledger:
        assert "complaints" in ledger.decisions(MODEL)[0].decision.basis
        assert ledger.last_change(MODEL).reason == "complaints"


def test_a_challenger_that_was_judged_against_another_champion_is_not_promoted(places, monkeypatch):
    from registry import promotion

    places.promote("1")

    def promoted_meanwhile(_version, folder):
        monkeypatch.setattr(promotion, "write_version_bundle", lambda _, folder: folder)
        places.promote("2")
        return folder

    monkeypatch.setattr(promotion, "write_version_bundle", promoted_meanwhile)

    with pytest.raises(ChurnError, match="judged against 1, but 2 is in production by now"):
        places.promote("2")
    assert places.agreed() == "2"


@pytest.mark.parametrize("place", ["stage", "alias", "stage and alias", "ledger"])
def test_places_that_were_changed_by_hand_follow_the_store(places, place):
    places.promote("1")
    if "stage" in place:
        places.version("2").set_stage("production", force=True)
    if "alias" in place:
        places.mlflow.alias["champion"] = "2"
    if place == "ledger":
        publish(places.store, "2")
    expected = "2" if place == "ledger" else "1"

    sentence = places.settle()

    assert f"version {expected} is in production" in sentence
    assert places.agreed() == expected
    assert places.rows()[-2:] == [
        ("comparison", expected, "intended"),
        ("comparison", expected, "done"),
    ]
    assert places.settle() is None


def test_a_comparison_that_was_broken_off_is_finished_by_the_next(places):
    places.promote("1")
    places.version("2").set_stage("production", force=True)
    with places.failing("stage", "before", Killed()), pytest.raises(Killed):
        places.settle()

    assert "a comparison of version 1 was broken off and is finished now" in places.settle()

    assert places.agreed() == "1"


def test_what_others_published_while_a_change_was_broken_off_counts(places, monkeypatch):
    places.promote("1")
    places.promote("2")
    with monkeypatch.context() as patch, places.failing("alias", "after", Killed()):
        patch.setattr(Production, "_take_back", lambda *_: None)
        with pytest.raises(Killed):
            places.roll_back()
    # given a pointer that an older release has moved to neither version
    past = history(places.store)
    third = past[-1].model_copy(update={"version": "3"})
    moved = Pointer(version="3", history=(*past, third)).model_dump_json(exclude_none=True)
    (places.store / CURRENT).write_text(moved, encoding="utf-8")

    places.settle()

    assert [status for _, _, status in places.rows()[-3:]] == ["undone", "intended", "done"]
    assert places.named()["ledger"] == "3"


def test_a_version_that_took_the_name_of_the_published_one_since_gets_no_stage(places):
    places.promote("1")
    places.control_plane.versions.clear()
    newer = places.control_plane.create_version({"name": MODEL}, {}, None)
    newer.created = datetime(2100, 1, 1)  # noqa: DTZ001 - as ZenML's
    newer.set_stage("staging", force=True)

    assert places.settle() is None

    assert newer.stage == "staging"


def test_a_younger_version_that_has_the_stage_is_compared_all_the_same(places):
    places.promote("1")
    places.version("1").created = datetime(2100, 1, 1)  # noqa: DTZ001 - as ZenML's
    places.mlflow.alias.clear()

    assert "MLflow's alias named none" in places.settle()

    assert places.agreed() == "1"


def test_a_version_that_was_staged_since_keeps_its_stage(places, monkeypatch):
    places.promote("1")
    with monkeypatch.context() as patch, places.failing("alias", "before", Killed()):
        patch.setattr(Production, "_take_back", lambda *_: None)
        with pytest.raises(Killed):
            places.promote("2")
    third = places.control_plane.create_version({"name": MODEL}, {}, None)
    third.set_stage("staging", force=True)

    places.settle()

    assert stages(places) == {"1": "production", "2": "archived", "3": "staging"}


def test_what_cannot_be_taken_back_is_said_and_left_to_the_next_command(places, monkeypatch):
    places.promote("1")
    with monkeypatch.context() as down:
        down.setattr(places.mlflow, "set_registered_model_alias", raising("MLflow is down"))
        down.setattr(places.version("1"), "set_stage", raising("so is ZenML"))
        with pytest.raises(OSError, match="MLflow is down") as failed:
            places.promote("2")
    (note,) = failed.value.__notes__
    assert "could be taken back (so is ZenML): the next promotion, rollback" in note
    assert places.rows()[-1] == ("promotion", "2", "intended")

    places.settle()

    assert places.agreed() == "1"


@pytest.mark.parametrize(("write", "side"), SIDES[1:8])
def test_ctrl_c_leaves_all_places_agreeing_and_ends_the_command(places, command, write, side):
    _, before, after, call = command

    with places.failing(write, side, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        call()

    if write != "intent":
        assert places.agreed() == (after if counts(write, side) else before)
    places.settle()
    assert places.agreed() == (after if counts(write, side) else before)


def test_what_is_in_production_is_asked_once_no_other_command_is_at_work(places, monkeypatch):
    places.promote("1")
    real, another = ChangeLedger.changing, [lambda: places.promote("2")]

    def wait_for_another(ledger):
        if another:
            another.pop()()
        return real(ledger)

    monkeypatch.setattr(ChangeLedger, "changing", wait_for_another)

    with pytest.raises(ChurnError, match="judged against 1, but 2 is in production by now"):
        places.promote("2")


def raising(reason):
    def fail(*_, **__):
        raise OSError(reason)

    return fail


def test_while_a_command_is_at_work_others_do_not_touch_its_change(places, monkeypatch):
    from churn.ledger import changes

    places.promote("1")
    refused = []
    real = changes.ChangeLedger.record_change

    def while_at_work(ledger, row):
        real(ledger, row)
        if row.open:
            with ChangeLedger(places.ledger_url, lock_seconds=0.05) as another:
                production = Production(MODEL, store=places.store, ledger=another, mlflow=None)
                with pytest.raises(ChurnError, match="Another promotion"), production.settled():
                    pytest.fail("it is at work")
            refused.append(row.version)

    monkeypatch.setattr(changes.ChangeLedger, "record_change", while_at_work)
    places.promote("2")

    assert refused == ["2"]
    assert places.rows()[-1] == ("promotion", "2", "done")


def test_a_store_that_was_lost_is_no_disagreement_and_is_published_anew(places):
    places.promote("1")
    (places.store / "current.json").unlink()

    assert places.settle() is None
    outcome = places.promote("1")

    assert "its bundle was missing from the store; it is published anew" in outcome.sentence
    assert places.agreed() == "1"


def test_without_mlflow_the_other_places_agree(places, monkeypatch):
    from registry import promotion

    monkeypatch.setattr(promotion, "mlflow_client", lambda: None)
    places.promote("1")
    with ChangeLedger(places.ledger_url) as ledger:
        production = Production(MODEL, store=places.store, ledger=ledger, mlflow=None)
        assert production.compare() is None
    assert places.named()["alias"] is None
