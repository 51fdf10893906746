"""One loop at a time: a dead process loses the lock, a live one keeps it, whatever the clocks say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from churn.errors import ChurnError
from churn.ledger.retraining_events import RetrainingEvent, RetrainingLedger
from churn.retraining import loop_lock
from churn.retraining.loop_lock import LEASE, HeldLoop, is_held, this_process
from tests.churn.retraining.loops import open_at_once

MODEL = "telco-churn"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ELSEWHERE = "another-machine 7 1700000000.00"


@pytest.fixture
def ledger(tmp_path):
    with RetrainingLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def event(holder, until=NOW + timedelta(seconds=60), number=1, kind="opened"):
    return RetrainingEvent(
        model=MODEL,
        number=number,
        loop=1,
        kind=kind,
        holder=holder,
        lease_until=until,
        recorded_at=NOW,
    )


@pytest.fixture
def dead_process():
    """A process that lived on this machine, and is over."""
    script = "from churn.retraining.loop_lock import this_process as p; print(p())"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("until", "held"),
    [
        (timedelta(seconds=1), True),
        (timedelta(0), False),
        (LEASE, True),
        (LEASE + timedelta(seconds=1), False),  # a clock was ahead, and was set back
    ],
)
def test_a_lease_elsewhere_ends_by_the_clock(until, held):
    assert is_held(event(ELSEWHERE, NOW + until), NOW) is held


@pytest.mark.parametrize("jump", [-timedelta(days=400), timedelta(0), timedelta(days=400)])
def test_a_process_here_is_known_by_its_life_and_not_by_the_clock(jump, dead_process):
    assert is_held(event(this_process()), NOW + jump)
    assert not is_held(event(dead_process), NOW + jump)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a process is born at a fixed time of day")
@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_process_here_keeps_the_lock_where_the_clock_is_set(monkeypatch, jump):
    taken = event(this_process())
    # Linux counts when a process was born from the machine's start, whose time of day moves with the clock.
    began = psutil._pslinux.boot_time
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: began() + jump)

    assert is_held(taken, NOW + timedelta(seconds=jump))


def test_a_process_of_another_container_with_this_host_name_has_its_lease(monkeypatch):
    here = loop_lock._here
    with monkeypatch.context() as patch:
        patch.setattr(loop_lock, "_here", lambda: f"{here()}0")
        taken = event(this_process().replace(f" {os.getpid()} ", " 999999999 "))

    assert is_held(taken, NOW)
    assert not is_held(taken, NOW + timedelta(seconds=60))


def test_what_was_released_is_free():
    assert not is_held(event(""), NOW)


def test_a_second_scheduler_learns_who_is_at_work(ledger):
    with HeldLoop(ledger, MODEL) as held:
        held.add("opened")

        with pytest.raises(ChurnError, match=r"is at work already .*loop 1"):
            HeldLoop(ledger, MODEL, holder=ELSEWHERE)


def test_of_two_that_open_at_once_one_is_refused(ledger):
    first, second = HeldLoop(ledger, MODEL, holder=ELSEWHERE), HeldLoop(ledger, MODEL)
    first.add("opened")

    with pytest.raises(ChurnError, match="was started meanwhile"):
        second.add("opened")

    assert len(ledger.events(MODEL)) == 1


def test_many_threads_open_one_loop(ledger):
    ledger.events(MODEL)

    done, refused = open_at_once(ledger, MODEL, 8)

    assert (len(done), len(refused)) == (1, 7)


def test_an_overtaken_process_keeps_nothing_more(ledger):
    held = HeldLoop(ledger, MODEL)
    held.add("opened")
    ledger.add(event(ELSEWHERE, number=2, kind="taken"))

    with pytest.raises(ChurnError, match="what it has found so far is kept"):
        held.add("found", {"stopped": "x"})

    assert [each.kind for each in ledger.events(MODEL)] == ["opened", "taken"]


def test_the_lock_of_a_dead_process_is_taken_at_once(ledger, dead_process):
    ledger.add(event(dead_process, until=NOW + timedelta(days=9999)))

    with HeldLoop(ledger, MODEL) as held:
        assert held.add("taken").loop == 1


def test_the_lease_is_renewed_while_a_step_runs(ledger):
    renewed = threading.Event()
    add = ledger.add

    def watch(given):
        add(given)
        if given.kind == "renewed":
            renewed.set()

    ledger.add = watch
    with HeldLoop(ledger, MODEL, lease=timedelta(seconds=0.3)) as held:
        held.add("opened")
        assert renewed.wait(30)
        held.add("closed")

    events = ledger.events(MODEL)
    assert [each.kind for each in events[:2]] == ["opened", "renewed"]
    assert (events[-1].kind, events[-1].holder) == ("closed", "")


def test_loops_are_numbered(ledger):
    with HeldLoop(ledger, MODEL) as held:
        held.add("opened", {"champion": "1"})
        held.add("closed")
        held.add("opened")
        assert (held.loop, len(held.events), len(held.every_event)) == (2, 1, 3)
