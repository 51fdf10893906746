"""The events of simulated customers: equal for equal seeds, of the kinds that were asked for."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from churn.errors import InputError
from churn.scoring.encoder import RowEncoder
from service.stream.poison_messages import POISON
from service.stream.simulated_customers import SimulatedCustomers
from service.stream.simulated_events import KIND_HEADER, simulate_events
from service.stream.simulator_settings import SimulatorSettings

START = datetime(2026, 11, 30, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulated(contract):
    """Settings -> the customers and their events."""

    def simulate(**given):
        settings = SimulatorSettings.read({"events": 1000, "customers": 100, **given})
        customers = SimulatedCustomers(contract, settings.generator)
        return customers, list(simulate_events(customers, settings, START))

    return simulate


def test_equal_seeds_give_equal_bytes_and_others_do_not(simulated):
    first, again, other = (simulated(seed=seed)[1] for seed in (7, 7, 8))
    assert first == again
    assert [each.value for each in first] != [each.value for each in other]


def test_each_kind_comes_in_its_share(simulated):
    _, events = simulated(
        events=4000, partial=0.3, late=0.1, out_of_order=0.1, duplicated=0.1, poison=0.05
    )
    kinds = Counter(each.kind for each in events)
    for kind, share in (("partial", 0.3), ("late", 0.1), ("duplicated", 0.1), ("poison", 0.05)):
        assert kinds[kind] == pytest.approx(4000 * share, rel=0.25), kind
    assert kinds["out_of_order"] > 100
    assert kinds["unreadable"] == 0
    assert all(dict(each.headers)[KIND_HEADER] == each.kind.encode() for each in events)


def test_shares_of_nothing_leave_whole_rows(simulated):
    nothing = dict.fromkeys(("partial", "late", "out_of_order", "duplicated", "poison"), 0)
    customers, events = simulated(**nothing)
    assert {each.kind for each in events} == {"full"}
    assert {each.value for each in events} == {
        json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
        for row in customers.rows
    }


def test_updates_change_known_fields_and_say_when(simulated, contract):
    customers, events = simulated(partial=0.5, late=0.2, out_of_order=0.2)
    encoder, last = RowEncoder(contract), {}
    known = {row["customerID"]: row for row in customers.rows}
    for event in events:
        if event.kind not in {"partial", "late", "out_of_order"}:
            continue
        content = json.loads(event.value)
        assert set(content) == {"customerID", "changes", "at"}
        assert event.key.decode() == content["customerID"]
        encoder.encode(known[content["customerID"]] | content["changes"])  # the contract allows it
        at, now = datetime.fromisoformat(content["at"]), START + timedelta(seconds=event.due)
        if event.kind == "partial":
            assert abs(at - now) < timedelta(milliseconds=2)
            last[event.key] = at
        elif event.kind == "late":
            assert timedelta(minutes=9) < now - at < timedelta(hours=3)
        else:
            assert at < last[event.key]


def test_a_duplicate_is_an_earlier_event_byte_for_byte(simulated):
    _, events = simulated(duplicated=0.3)
    seen = set()
    for event in events:
        if event.kind == "duplicated":
            assert (event.key, event.value) in seen
        seen.add((event.key, event.value))


def test_every_kind_of_poison_comes(simulated):
    _, events = simulated(poison=0.1)
    assert len({each.value for each in events if each.kind == "poison"}) > len(POISON)


def test_a_customer_that_the_scenario_breaks_is_unreadable_and_never_updated(simulated):
    customers, events = simulated(scenario="lost_join", partial=0.4)
    broken = {
        row["customerID"].encode()
        for row, readable in zip(customers.rows, customers.readable, strict=True)
        if not readable
    }
    assert 5 < len(broken) < 50
    kinds = Counter(each.kind for each in events if each.key in broken)
    assert set(kinds) <= {"unreadable", "poison"}
    assert kinds["unreadable"] > 50


def test_a_scenario_moves_the_customers(simulated):
    charges = [
        sum(row["MonthlyCharges"] for row in simulated(scenario=name)[0].rows)
        for name in ("", "price_rise")
    ]
    assert charges[1] == pytest.approx(1.05 * charges[0], rel=0.01)


@pytest.mark.parametrize("rate", [0.5, 7, 500])
def test_events_are_due_at_the_rate_and_some_of_each_second_at_once(simulated, rate):
    due = [each.due for each in simulated(events=2000, rate=rate, bursts=0.5)[1]]
    assert due == sorted(due)
    assert due[-1] == pytest.approx(2000 / rate, rel=0.01)
    together = sum(later == sooner for sooner, later in pairwise(due))
    assert together == pytest.approx(0 if rate < 1 else 1000, abs=600)


def test_it_ends_after_its_seconds(simulated):
    _, events = simulated(events=None, seconds=2, rate=100)
    assert len(events) == 200


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rate": "0"}, "The simulator's rate is '0', but it must be above 0."),
        (
            {"rate": "fast"},
            "The simulator's rate is 'fast', but it must be a valid number, unable to",
        ),
        ({"rate": "nan"}, "The simulator's rate is 'nan', but it must be"),
        ({"events": "0"}, "The simulator's events is '0', but it must be at least 1."),
        (
            {"out_of_order": "1.5"},
            "The simulator's out-of-order is '1.5', but it must be at most 1.",
        ),
        ({"partial": "0.9", "poison": "0.2"}, "add up to 1.16, which is more than 1."),
    ],
)
def test_a_setting_that_is_not_possible_is_a_sentence(given, sentence):
    with pytest.raises(InputError) as caught:
        SimulatorSettings.read(given)
    assert sentence in str(caught.value)


def test_an_unknown_scenario_names_a_near_one(simulated):
    with pytest.raises(InputError, match="Did you mean 'price_rise'"):
        simulated(scenario="price_raise")
