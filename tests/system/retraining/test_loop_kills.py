"""SIGKILL at every event of a loop and at random moments: the next start ends it, and one version serves."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
import time

import pytest

from churn.retraining.record import build_record, decision_bytes, replay
from churn.scoring import Scorer
from tests.registry.places import MODEL
from tests.runner.loop_places import DEPLOYED
from tests.system.production.kept_places import run_command
from tests.system.retraining.killed_loop import opened, run_loop

ENDS = {"promoted": "2", "kept": "1", "smoke test failed": "1", "fell in probation": "1"}
OUTCOMES = {name: name for name in ("promoted", "kept")}
MOST_EVENTS = {"promoted": 7, "kept": 4, "smoke test failed": 7, "fell in probation": 8}
"""Events of a loop that nothing breaks off: opened, what each step finds, closed."""
TARGETED = [
    (script, number, side)
    for script, events in MOST_EVENTS.items()
    for number in range(1, events + 1)
    for side in ("before", "after")
]
RANDOM_KILLS = 20
PATIENCE = 600
MOST_STARTS = 4

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["tests.system.retraining.killed_loop", "runner.retraining_steps", "registry.promotion"]
)


@pytest.fixture
def folder(published_store, tmp_path):
    """A folder with version 1 in production."""
    store = shutil.copytree(published_store, tmp_path / "production" / MODEL)
    (store / "current.json").unlink()
    run(run_command, tmp_path, "first promotion", None)
    return tmp_path


def run(target, *arguments, kill_after=None):
    """Runs a function in a process, which may be killed; returns its exit code."""
    ready = processes.Event()
    process = processes.Process(target=target, args=(*arguments, ready))
    process.start()
    assert ready.wait(PATIENCE)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.join(PATIENCE)
    return process.exitcode


def end(folder, source, script):
    """Starts the loop again, as a schedule does, until it is over."""
    for _ in range(MOST_STARTS):
        run(run_loop, folder, source, script, None)
        with pytest.MonkeyPatch.context() as patch:
            loop = opened(folder, source, script, patch)
            events = loops(loop)
            if events and events[-1].kind == "closed":
                return loop.places, events
    raise AssertionError("the loop does not end")


def loops(loop):
    from churn.ledger.retraining_events import RetrainingLedger

    with RetrainingLedger(loop.places.ledger_url) as ledger:
        return ledger.events(MODEL)


def require_sound(folder, places, events, script):
    """One version serves, the record says why, and nothing was deployed that no gate has passed."""
    assert {each.loop for each in events} == {1}
    record = build_record(events)
    assert places.settle() is None
    assert places.agreed() == ENDS[script] == record.decision.serving
    assert Scorer.load(places.store).version == ENDS[script]
    assert record.decision.outcome == OUTCOMES.get(script, "rolled back")
    file = folder / "retraining" / f"retraining-{MODEL}-1.json"
    if file.exists():  # a kill may come after the last event and before the file
        assert replay(file)[1]
    log = folder / DEPLOYED
    deployed = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if script == "kept":
        assert deployed == []
    assert decision_bytes(build_record(events).decision) == decision_bytes(record.decision)


@pytest.mark.parametrize(("script", "number", "side"), TARGETED)
def test_a_kill_on_either_side_of_an_event(folder, source, script, number, side):
    code = run(run_loop, folder, source, script, (number, side))
    assert code == -signal.SIGKILL

    places, events = end(folder, source, script)

    require_sound(folder, places, events, script)


@pytest.mark.parametrize("kill", range(RANDOM_KILLS))
def test_a_kill_at_a_random_moment(folder, source, kill):
    script = sorted(ENDS)[kill % len(ENDS)]
    chance = random.Random(kill)

    run(run_loop, folder, source, script, None, kill_after=chance.uniform(0, 0.6))

    places, events = end(folder, source, script)
    require_sound(folder, places, events, script)
