"""A message that leaves fields out is scored with those of the online store, bit for bit as the whole row."""

import json

import pytest

from churn.feature_store.online.online_store import OnlineStoreError
from service.stream.message_scoring import score_messages
from service.stream.messages import Message
from service.stream.stored_fields import StoredFields

LIMIT = 10_000


def message(row, offset=0):
    return Message("t", 0, offset, 1, None, json.dumps(row).encode())


def test_all_customers_get_the_same_bits_from_their_ids_alone(pool, stored, customers):
    whole = score_messages([message(row, n) for n, row in enumerate(customers)], pool, LIMIT)
    ids = [message({"customerID": row["customerID"]}, n) for n, row in enumerate(customers)]

    alone = score_messages(ids, pool, LIMIT, stored)

    assert len(alone.scored) == len(customers)
    assert [each.value for each in alone.scored] == [each.value for each in whole.scored]
    hashes = [each.input_hash for each in whole.predictions]
    assert [each.input_hash for each in alone.predictions] == hashes


def test_a_messages_own_fields_come_first(pool, stored, customers):
    row = customers[0] | {"tenure": 60, "Contract": "Two year"}
    part = {name: row[name] for name in ("customerID", "tenure", "Contract")}

    found = score_messages([message(part)], pool, LIMIT, stored).scored

    assert found[0].value == score_messages([message(row)], pool, LIMIT).scored[0].value


def test_what_neither_has_is_rejected_and_spoils_no_other(pool, stored, customers):
    rows = [{"customerID": "nobody", "tenure": 1}, customers[0], {"tenure": 1}]

    batch = score_messages([message(row, n) for n, row in enumerate(rows)], pool, LIMIT, stored)

    assert [(each.offset, why.kind) for each, why in batch.rejected] == [
        (0, "field"),
        (2, "customer_id"),
    ]
    assert [each.message.offset for each in batch.scored] == [1]


def test_a_field_that_is_too_old_is_rejected_where_it_is_taken(pool, contract, address, stored, customers):  # fmt: skip
    id_alone = {"customerID": customers[0]["customerID"]}
    limited = StoredFields(address, contract, 1800)

    batch = score_messages([message(id_alone), message(customers[0], 1)], pool, LIMIT, limited)

    assert [why.kind for _, why in batch.rejected] == ["stale"]
    assert "at most 1800 are allowed" in str(batch.rejected[0][1])
    assert len(batch.scored) == 1


def test_without_its_store_nothing_is_scored_or_counted(pool, contract, tmp_path, customers):
    away = StoredFields(f"sqlite:///{tmp_path / 'absent.db'}", contract, 0)
    before = list(pool.production.metrics.numbers)

    with pytest.raises(OnlineStoreError, match="no online store"):
        score_messages([message(customers[0]), message({"customerID": "C1"}, 1)], pool, LIMIT, away)

    assert list(pool.production.metrics.numbers) == before
    assert len(score_messages([message(customers[0])], pool, LIMIT, away).scored) == 1
