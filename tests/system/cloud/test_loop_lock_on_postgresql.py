"""The lock of retraining loops on a real PostgreSQL server: the server's clock, and one winner of many."""

from __future__ import annotations

from datetime import timedelta

import pytest

from churn.errors import ChurnError, InputError
from churn.ledger.retraining_events import RetrainingEvent, RetrainingLedger
from churn.retraining.loop_lock import LEASE, HeldLoop
from tests.churn.retraining.loops import open_at_once

MODEL = "telco-churn"
ELSEWHERE = "another-machine 7 1700000000.00"


@pytest.fixture
def ledger(postgres, request):
    with RetrainingLedger(postgres.create(f"loops-{abs(hash(request.node.name))}")) as opened:
        yield opened


def elsewhere(ledger, until):
    """An event of a process elsewhere, whose lease ends so much after the server's time."""
    now = ledger.clock()
    event = RetrainingEvent(
        model=MODEL,
        number=1,
        loop=1,
        kind="opened",
        holder=ELSEWHERE,
        lease_until=now + until,
        facts={"champion": "1"},
        recorded_at=now,
    )
    ledger.add(event)
    return event


def test_events_are_read_back_as_they_were_made(ledger):
    event = elsewhere(ledger, LEASE)

    assert ledger.events(MODEL) == [event]


@pytest.mark.parametrize(
    ("until", "held"),
    [(LEASE / 2, True), (timedelta(seconds=-1), False), (2 * LEASE, False)],
)
def test_a_lease_elsewhere_ends_by_the_servers_clock(ledger, until, held):
    elsewhere(ledger, until)

    if held:
        with pytest.raises(ChurnError, match="is at work already"):
            HeldLoop(ledger, MODEL)
    else:
        assert HeldLoop(ledger, MODEL).add("taken").number == 2


def test_of_many_schedulers_one_opens_a_loop(ledger):
    ledger.events(MODEL)

    done, refused = open_at_once(ledger, MODEL, 12)

    assert (len(done), len(refused)) == (1, 11)
    assert len(ledger.events(MODEL)) == 1


def test_a_server_that_goes_away_is_a_sentence(postgres):
    with (
        RetrainingLedger(postgres.url("nobody-made-it")) as ledger,
        pytest.raises(InputError, match="cannot be used"),
    ):
        ledger.events(MODEL)
