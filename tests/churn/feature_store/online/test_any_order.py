"""Whatever the order, the repetitions and the batches, each field ends as its latest event left it."""

import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import EPOCH, CustomerUpdate, microseconds

START = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ("tenure", "Contract", "MonthlyCharges")

times = st.one_of(
    st.integers(0, 4).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(-(6 * 10**16), 0).map(lambda since: START + timedelta(microseconds=since)),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=True),
    st.integers(-(2**63), 2**64 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.dates().map(str),
)
updates = st.builds(
    CustomerUpdate,
    st.sampled_from(["C1", "ä b"]),
    times,
    st.dictionaries(st.sampled_from(NAMES), values, max_size=3),
    st.sampled_from([EPOCH, START, START + timedelta(hours=9)]),
)


def bits(value):
    """A value with its type, floats by their bits."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value)
    return type(value), value


def latest(written):
    """(customer, field) -> the times of its latest event, and every value that it had then."""
    found = {}
    for each in written:
        for name, value in each.fields.items():
            times_ = each.at, each.recorded
            latest_, held = found.get((each.customer, name), (times_, set()))
            if times_ > latest_:
                latest_, held = times_, set()
            if times_ == latest_:
                found[each.customer, name] = latest_, held | {bits(value)}
    return found


def content(store):
    """(customer, field) -> times and value."""
    return {
        (customer, name): (field.at, field.recorded, bits(field.value))
        for customer in ("C1", "ä b")
        if (stored := store.read(customer)) is not None
        for name, field in stored.fields.items()
    }


@pytest.fixture(params=["sqlite", "redis"])
def fresh(request, contract, tmp_path):
    """Makes empty stores, one after the other."""
    url = request.getfixturevalue("running_redis") if request.param == "redis" else None
    made = []

    def make():
        if url is None:
            made.append(open_online_store(contract, f"sqlite:///{tmp_path}/{len(made)}.db"))
        else:
            with Redis.from_url(url) as redis:
                redis.flushdb()
            made.append(open_online_store(contract, url))
        return made[-1]

    yield make
    for store in made:
        store.close()


@settings(max_examples=60)
@given(st.data())
def test_the_latest_event_of_each_field_is_left(fresh, data):
    written = data.draw(st.lists(updates, min_size=1, max_size=12))
    repeated = data.draw(st.lists(st.sampled_from(written), max_size=6))
    states = []
    for _ in range(2):
        order = data.draw(st.permutations(written + repeated))
        store = fresh()
        store.write([])  # a store of this contract, even if no update has a field
        while order:
            size = data.draw(st.integers(1, len(order)))
            store.write(order[:size])
            order = order[size:]
        states.append(content(store))

    expected = latest(written)
    assert states[0] == states[1]
    assert states[0].keys() == expected.keys()
    for key, (at, recorded, value) in states[0].items():
        assert (at, recorded) == tuple(map(microseconds, expected[key][0]))
        assert value in expected[key][1]
