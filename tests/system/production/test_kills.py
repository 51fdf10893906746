"""SIGKILL at every write of every command, and at random moments: the next command puts it right."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import time

import pytest

from churn.scoring import Scorer
from tests.registry.places import MODEL
from tests.system.production.kept_places import COMMANDS, kept_places, run_command

BEFORE = {"first promotion": None, "promotion": "1", "rollback": "2", "deployment": "2"}
AFTER = {"first promotion": "1", "promotion": "2", "rollback": "1", "deployment": "1"}
SIDES = [(w, s) for w in ("stage", "alias", "pointer", "done") for s in ("before", "after")]
TARGETED = [(command, *side) for command in AFTER for side in SIDES] + [
    ("doctor", write, side) for write, side in SIDES if write != "pointer"
]
RANDOM_KILLS = 28
PATIENCE = 600  # seconds; the first child waits for the imports

processes = multiprocessing.get_context("forkserver")
# What a child imports anyway; imported once, a kill takes a fraction of a second.
processes.set_forkserver_preload(
    [
        "tests.system.production.kept_places",
        "registry.promotion",
        "registry.rollback",
        "deployment.store",
    ]
)


@pytest.fixture
def folder(published_store, tmp_path):
    """A folder in which neither version is in production."""
    store = shutil.copytree(published_store, tmp_path / "production" / MODEL)
    (store / "current.json").unlink()
    return tmp_path


@pytest.fixture
def places(folder, monkeypatch):
    """The places as they are whenever it is called."""
    return lambda: kept_places(folder, monkeypatch)


def start(folder, command, stop=None):
    ready = processes.Event()
    process = processes.Process(target=run_command, args=(folder, command, stop, ready))
    process.start()
    assert ready.wait(PATIENCE)
    return process


def prepare(folder, command):
    """Brings the places where a command finds them."""
    for version in ("1", "2")[: int(BEFORE.get(command, "1") or 0)]:
        finished = start(folder, "first promotion" if version == "1" else "promotion")
        finished.join()
        assert finished.exitcode == 0
    if command == "doctor":  # which comes after a promotion that was killed before it counted
        kill_at(folder, "promotion", "pointer", "before")


def kill_at(folder, command, write, side):
    process = start(folder, command, (write, side))
    process.join()
    assert process.exitcode == -signal.SIGKILL


def require_agreement(places, next_command):
    """Runs the next command, whichever it is; then all agree, the record is closed, one serves."""
    if next_command == "promotion":
        from steps.promotion.find_pair import find_pair

        folders = {"bundles": str(places.store.parent), "ledger": places.ledger_url}
        find_pair.entrypoint(MODEL, "1", folders)
    elif next_command == "rollback" and len(places.rows()) > 2 and places.pointer == "2":
        assert places.roll_back().version == "1"
    else:
        places.settle()
    version = places.agreed()
    assert not places.rows() or places.rows()[-1][2] != "intended"
    assert [each.name for each in places.control_plane.versions if each.stage == "production"] == (
        [version] if version else []
    )
    if version is not None:
        assert Scorer.load(places.store).version == version
    assert places.settle() is None
    return version


@pytest.mark.parametrize(("command", "write", "side"), TARGETED)
def test_a_kill_on_either_side_of_a_write(folder, places, command, write, side):
    prepare(folder, command)
    next_command = "promotion" if side == "before" else "doctor"

    kill_at(folder, command, write, side)

    version = require_agreement(places(), next_command)
    if command == "doctor":
        assert version == "1"
        return
    counts = write == "done" or (write, side) == ("pointer", "after")
    assert version == (AFTER if counts else BEFORE)[command]
    status = places().rows()[-1]
    assert status == (command.split()[-1], AFTER[command], "done" if counts else "undone")


@pytest.mark.parametrize(("write", "side"), SIDES)
def test_a_rollback_that_was_killed_and_is_repeated_goes_back_one_version(
    folder, places, write, side
):
    prepare(folder, "rollback")
    kill_at(folder, "rollback", write, side)
    if (write, side) == ("done", "after"):
        return  # it was over: another rollback is another

    assert places().roll_back().version == "1"

    assert places().agreed() == "1"


@pytest.mark.parametrize("kill", range(RANDOM_KILLS))
def test_a_kill_at_a_random_moment(folder, places, kill):
    command = sorted(COMMANDS)[kill % len(COMMANDS)]
    prepare(folder, command)
    chance = random.Random(kill)
    process = start(folder, command)

    time.sleep(chance.uniform(0, 0.25))  # it takes about as long, so some are over by then
    process.kill()
    process.join()

    version = require_agreement(places(), chance.choice(["promotion", "rollback", "doctor"]))
    assert version in (None, "1", "2")
