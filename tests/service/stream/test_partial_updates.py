"""Messages with what changed alone: completed from the online store, which takes them over."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.feature_store.online import online_store
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.online_store import OnlineStoreError
from churn.feature_store.online.stored_customer import CustomerUpdate, microseconds
from service.stream.message_scoring import score_messages
from service.stream.messages import SCHEMA_HEADER, Message
from service.stream.stored_fields import StoredFields

LIMIT = 10_000
NOW = datetime.now(UTC)


def message(row, offset=0, headers=(), timestamp=1):
    return Message("t", 0, offset, timestamp, None, json.dumps(row).encode(), headers)


def update(customer, changes, at=NOW, offset=0, **more):
    row = {"customerID": customer["customerID"], "changes": changes, "at": at.isoformat()}
    return message(row, offset, **more)


def scores(batch):
    return [each.answer.probability for each in batch.scored]


def reasons(batch):
    return [(each.offset, why.kind) for each, why in batch.rejected]


@pytest.fixture
def whole(pool):
    """The score of a customer with all fields."""
    return lambda row: score_messages([message(row)], pool, LIMIT).scored[0].answer.probability


@pytest.fixture(params=["sqlite", "redis"])
def online(request, contract, customers, tmp_path):
    """The address of a store with one customer, whose fields are a day old."""
    if request.param == "redis":
        address = request.getfixturevalue("running_redis")
        with open_online_store(contract, address) as store:
            store.clear()
    else:
        address = f"sqlite:///{tmp_path / 'one.db'}"
    fields = {name: value for name, value in customers[0].items() if name != "customerID"}
    with open_online_store(contract, address) as store:
        store.write([CustomerUpdate(customers[0]["customerID"], NOW - timedelta(1), fields)])
    return address


def process(pool, contract, address, messages, *, written=True):
    """A worker's way with one batch: scored, and then its updates written."""
    fields = StoredFields(address, contract, 0)
    batch = score_messages(messages, pool, LIMIT, fields)
    if written:
        fields.write()
    fields.close()
    return batch


def read(contract, address, customer):
    with open_online_store(contract, address) as store:
        return store.read(customer["customerID"])


def test_a_partial_update_is_scored_as_the_whole_customer_and_is_stored(
    pool, contract, online, customers, whole
):
    first = customers[0]
    changed = first | {"tenure": 60, "Contract": "Two year"}

    batch = process(pool, contract, online, [update(first, {"tenure": 60, "Contract": "Two year"})])

    assert scores(batch) == [whole(changed)]
    assert batch.scored[0].row == changed
    stored = read(contract, online, first)
    assert {"customerID": first["customerID"]} | stored.row == changed
    times = {name: field.at for name, field in stored.fields.items()}
    assert times.pop("tenure") == times.pop("Contract") == microseconds(NOW)
    assert set(times.values()) == {microseconds(NOW - timedelta(1))}


@pytest.mark.parametrize("one_batch", [True, False])
def test_an_update_that_comes_late_replaces_nothing_newer(
    pool, contract, online, customers, whole, one_batch
):
    first = customers[0]
    late = NOW - timedelta(hours=1)
    messages = [
        update(first, {"tenure": 60}),
        update(first, {"tenure": 2, "Contract": "Two year"}, late, 1),
        update(first, {"tenure": 3}, NOW - timedelta(2), 2),  # before all that is known
    ]

    if one_batch:
        found = scores(process(pool, contract, online, messages))
    else:
        found = [p for each in messages for p in scores(process(pool, contract, online, [each]))]

    newest = first | {"tenure": 60, "Contract": "Two year"}
    assert found == [whole(first | {"tenure": 60}), whole(newest), whole(newest)]
    assert read(contract, online, first).row["tenure"] == 60


def test_updates_in_any_order_and_repeated_leave_the_same_customer(
    pool, contract, online, customers
):
    first = customers[0]
    events = [update(first, {"tenure": n, "Partner": "Yes" if n % 2 else "No"},
                     NOW - timedelta(minutes=n), n) for n in range(1, 6)]  # fmt: skip

    process(pool, contract, online, events)
    once = read(contract, online, first)
    process(pool, contract, online, [*reversed(events), events[2]])

    assert read(contract, online, first) == once
    assert once.row["tenure"] == 1


def test_a_worker_killed_before_its_commit_repeats_the_update_without_harm(
    pool, contract, online, customers
):
    event = update(customers[0], {"tenure": 60})

    first = process(pool, contract, online, [event])
    stored = read(contract, online, customers[0])
    again = process(pool, contract, online, [event])

    assert [each.value for each in again.scored] == [each.value for each in first.scored]
    assert read(contract, online, customers[0]) == stored


def test_a_repeated_message_keeps_the_answer_of_the_ledger_though_more_is_known_by_now(
    pool, contract, online, customers, whole
):
    first, second = (
        update(customers[0], {"tenure": 60}),
        update(customers[0], {"tenure": 61}, offset=1),
    )
    before = process(pool, contract, online, [first, second])  # killed before its commit
    recorded = {each.prediction_id: each for each in before.predictions}

    fields = StoredFields(online, contract, 0)
    anew = score_messages([first], pool, LIMIT, fields)
    again = score_messages([first, second], pool, LIMIT, fields, recorded)
    fields.close()

    assert anew.scored[0].value != before.scored[0].value
    assert [each.value for each in again.scored] == [each.value for each in before.scored]
    assert again.predictions == before.predictions
    assert [each.at for each in again.scored] == [each.at for each in before.scored]


def test_of_two_updates_of_one_moment_the_one_recorded_later_wins(
    pool, contract, online, customers
):
    for order in (1, -1):
        events = [update(customers[0], {"tenure": n}, timestamp=n * 1000) for n in (7, 8)]
        process(pool, contract, online, events[::order])

        assert read(contract, online, customers[0]).row["tenure"] == 8


def test_the_next_message_of_the_batch_is_completed_with_the_update(
    pool, contract, online, customers, whole
):
    first = customers[0]
    part = message({"customerID": first["customerID"], "Partner": "Yes"}, 1)

    batch = process(pool, contract, online, [update(first, {"tenure": 60}), part])

    assert scores(batch)[1] == whole(first | {"tenure": 60, "Partner": "Yes"})


def test_an_update_of_nobody_is_rejected_and_makes_no_customer(pool, contract, online, customers):
    batch = process(pool, contract, online, [update(customers[1], {"tenure": 60})])

    assert reasons(batch) == [(0, "unknown_customer")]
    assert "does not know this customer" in str(batch.rejected[0][1])
    assert read(contract, online, customers[1]) is None


BROKEN = [
    ({"changes": []}, "update", "a list, not a JSON object"),
    ({"changes": None}, "update", "null, not a JSON object"),
    ({"changes": "tenure"}, "update", "a text, not a JSON object"),
    ({"changes": {"tenure": None}}, "update", "empties no field"),
    ({"changes": {"customerID": "other"}}, "update", "an id does not change"),
    ({"changes": {"tenure": 1}, "tenure": 1}, "update", "beside 'changes'"),
    ({"changes": {"tenure": 1}, "at": None}, "update", "'at' is missing"),
    ({"changes": {"tenure": 1}, "at": "yesterday"}, "update", "no time with a zone"),
    ({"changes": {"tenure": 1}, "at": "2026-11-30T10:00:00"}, "update", "no time with a zone"),
    ({"changes": {"tenure": 1}, "at": 1_764_000_000}, "update", "no time with a zone"),
    ({"changes": {"tenure": 1}, "at": "2999-01-01T00:00:00Z"}, "update", "ahead of this machine"),
    ({"changes": {"tenure": [1]}}, "update", "is a list"),
    ({"changes": {"tenure": -1}}, "field", "'tenure'"),
    ({"changes": {"TotalCharges": 10**30}}, "update", "at most 64 bits"),
    ({"changes": {"Contract": "Biennial"}}, "field", "is not one of"),
    ({"changes": {"Shoe size": 43}}, "field", "not in the contract"),
    ({"changes": {"Churn": "Yes"}}, "field", "what is to be predicted"),
]


def test_what_is_no_valid_update_is_rejected_with_its_reason_and_changes_nothing(
    pool, contract, online, customers, whole
):
    first = customers[0]
    before = read(contract, online, first)
    valid = {"customerID": first["customerID"], "at": NOW.isoformat()}
    messages = [message(valid | broken, n) for n, (broken, _, _) in enumerate(BROKEN)]
    last = message({"customerID": first["customerID"]}, len(BROKEN))

    batch = process(pool, contract, online, [*messages, last])

    assert reasons(batch) == [(n, kind) for n, (_, kind, _) in enumerate(BROKEN)]
    for (_, why), (_, _, words) in zip(batch.rejected, BROKEN, strict=True):
        assert words in str(why)
    assert scores(batch) == [whole(first)]
    assert read(contract, online, first) == before


@pytest.mark.parametrize("part", ["values", "score_values"])
def test_an_update_at_which_the_worker_fails_changes_nothing(
    pool, contract, online, customers, whole, monkeypatch, part
):
    first, before = customers[0], read(contract, online, customers[0])
    expected = [whole(first), whole(first | {"Contract": "Two year"})]
    scorer = pool.production.scorer
    work, failing = getattr(scorer, part), [ZeroDivisionError()]

    def fails_once(given):
        if failing:
            raise failing.pop()
        return work(given)

    monkeypatch.setattr(type(scorer), part, lambda _, given: fails_once(given))
    messages = [
        update(first, {"tenure": 60}),
        message({"customerID": first["customerID"]}, 1),
        update(first, {"Contract": "Two year"}, offset=2),
    ]
    batch = process(pool, contract, online, messages)

    assert reasons(batch) == [(0, "failed")]
    assert scores(batch) == expected
    stored = read(contract, online, first)
    assert stored.row == before.row | {"Contract": "Two year"}
    assert stored.fields["tenure"] == before.fields["tenure"]


def test_an_update_without_changes_scores_what_is_known(pool, contract, online, customers, whole):
    assert scores(process(pool, contract, online, [update(customers[0], {})])) == [
        whole(customers[0])
    ]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ((), None),
        (((SCHEMA_HEADER, b"1"),), None),
        (((SCHEMA_HEADER, b"2"),), "schema"),
        (((SCHEMA_HEADER, b""),), "schema"),
        (((SCHEMA_HEADER, None),), "schema"),
        (((SCHEMA_HEADER, b"1"), (SCHEMA_HEADER, b"2")), "schema"),
    ],
)
def test_a_message_of_an_unknown_version_is_rejected_whole_or_partial(
    pool, contract, online, customers, headers, kind
):
    messages = [message(customers[0], headers=headers),
                update(customers[0], {"tenure": 3}, headers=headers)]  # fmt: skip

    batch = process(pool, contract, online, messages)

    assert [why for _, why in reasons(batch)] == ([kind] * 2 if kind else [])


def test_without_an_online_store_a_partial_update_is_rejected(pool, customers):
    batch = score_messages([update(customers[0], {"tenure": 3})], pool, LIMIT)

    assert reasons(batch) == [(0, "update")]
    assert "CHURN_ONLINE_STORE" in str(batch.rejected[0][1])


def test_a_field_of_the_store_that_is_too_old_rejects_the_update_and_one_it_brings_does_not(
    pool, contract, online, customers
):
    limited = StoredFields(online, contract, 3600)
    fields = {name: value for name, value in customers[0].items() if name != "customerID"}

    batch = score_messages(
        [update(customers[0], {"tenure": 3}), update(customers[0], fields, NOW - timedelta(3), 1)],
        pool, LIMIT, limited,
    )  # fmt: skip

    assert reasons(batch) == [(0, "stale")]
    assert len(batch.scored) == 1


def test_an_update_waits_where_the_clock_is_set_back_before_it_is_written(
    pool, contract, online, customers, monkeypatch
):
    before, fields = read(contract, online, customers[0]), StoredFields(online, contract, 0)
    score_messages([update(customers[0], {"tenure": 60})], pool, LIMIT, fields)

    class SetBack(datetime):
        @classmethod
        def now(cls, _zone):
            return NOW - timedelta(hours=1)

    with monkeypatch.context() as patched:
        patched.setattr(online_store, "datetime", SetBack)
        with pytest.raises(InputError, match="lies ahead of this machine's clock"):
            fields.write()
        kept = read(contract, online, customers[0])
    fields.write()
    fields.close()

    assert kept == before
    assert read(contract, online, customers[0]).row["tenure"] == 60


def test_an_online_store_that_is_away_is_waited_for(pool, contract, tmp_path, customers):
    away = StoredFields(f"sqlite:///{tmp_path / 'absent.db'}", contract, 0)

    with pytest.raises(OnlineStoreError, match="no online store"):
        score_messages([update(customers[0], {"tenure": 3})], pool, LIMIT, away)
