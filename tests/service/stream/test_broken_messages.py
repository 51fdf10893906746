"""Two hundred kinds of broken message: each in the dead letters with its reason, and all others scored."""

import json
from contextlib import suppress

import pytest
from kafka import KafkaProducer
from worker_process import working

from service.stream.message_scoring import score_messages
from service.stream.messages import SCHEMA_HEADER, Message, Rejection, parse_event

LIMIT = 262_144
AT = "2026-01-01T00:00:00Z"
WRONG_VALUES = {
    "list": [1],
    "object": {"a": 1},
    "null": None,
    "unknown text": "Biennial",
    "empty text": "",
    "long text": "x" * 5000,
    "negative": -1,
    "huge": 10**400,
    "half": 0.5,
    "true": True,
}
BYTES = {
    "nothing": (b"", "empty"),
    "blank": (b"  ", "not_json"),
    "text": (b"text", "not_json"),
    "not UTF-8": (b"\xff\xfe", "not_json"),
    "UTF-16": ('{"customerID": "A"}'.encode("utf-16"), "not_json"),
    "open object": (b'{"customerID": "A"', "not_json"),
    "open text": (b'{"customerID": "A', "not_json"),
    "comma": (b'{"customerID": "A",}', "not_json"),
    "two objects": (b'{"customerID": "A"}{}', "not_json"),
    "single quotes": (b"{'customerID': 'A'}", "not_json"),
    "NaN": (b'{"customerID": "A", "tenure": NaN}', "not_json"),
    "Infinity": (b'{"customerID": "A", "tenure": Infinity}', "not_json"),
    "nested": (b"[" * 100_000, "not_json"),
    "control": (b'{"customerID": "A\x01"}', "not_json"),
    "half a pair": (b'{"customerID": "\\ud800"}', "not_json"),
    "NUL": (b"\0", "not_json"),
    "null": (b"null", "not_a_customer"),
    "true": (b"true", "not_a_customer"),
    "number": (b"1", "not_a_customer"),
    "string": (b'"A"', "not_a_customer"),
    "list": (b"[]", "not_a_customer"),
    "list of customers": (b'[{"customerID": "A"}]', "not_a_customer"),
    "wrapper": (b'{"instances": [{}]}', "not_a_customer"),
    "too large": (b" " * (LIMIT + 1), "too_large"),
}
IDS = [None, "", "x" * 201, "a\0b", True, 1.5, [], {}, 2**70 * 1.0]
CHANGES = {
    "list": {"changes": []},
    "text": {"changes": "tenure"},
    "null": {"changes": None},
    "number": {"changes": 1},
    "field beside": {"changes": {}, "tenure": 1},
    "id inside": {"changes": {"customerID": "B"}},
    "null inside": {"changes": {"tenure": None}},
    "no time": {"changes": {}, "at": None},
    "no zone": {"changes": {}, "at": "2026-01-01T00:00:00"},
    "date": {"changes": {}, "at": "2026-01-01"},
    "words": {"changes": {}, "at": "now"},
    "number as time": {"changes": {}, "at": 0},
    "empty time": {"changes": {}, "at": ""},
    "list as time": {"changes": {}, "at": [AT]},
}


def broken(contract, row):
    """Name -> (value, headers, kind), by construction: every field with every wrong value, and more."""
    found = {name: (value, (), kind) for name, (value, kind) in BYTES.items()}
    whole = {name: value for name, value in row.items() if name != "customerID"}

    def add(name, content, kind, headers=()):
        found[name] = json.dumps(content).encode(), headers, kind

    for column in contract.features:
        others = {name: value for name, value in row.items() if name != column.name}
        add(f"{column.name} is absent", others, "field")
        for name in ("list", "object", "unknown text", "long text", "negative", "huge"):
            add(f"{column.name} is {name}", row | {column.name: WRONG_VALUES[name]}, "field")
        text = json.dumps(row)[:-1] + f', "{column.name}": 1}}'
        found[f"{column.name} twice"] = text.encode(), (), "field"
    add("unknown field", row | {"Shoe size": 43}, "field")
    add("target", row | {"Churn": "Yes"}, "field")
    for place, value in enumerate(IDS):
        add(f"id {place}", whole | {"customerID": value}, "customer_id")
    add("no id", whole, "customer_id")
    for name, change in CHANGES.items():
        add(f"changes: {name}", {"customerID": "A", "at": AT} | change, "update")
    add("changes: no store", {"customerID": "A", "changes": {}, "at": AT}, "update")
    for place, version in enumerate((b"2", b"", b"one", b"1.0", b"\xff")):
        add(f"version {place}", row, "schema", ((SCHEMA_HEADER, version),))
    return found


@pytest.fixture(scope="module")
def messages(contract, customers):
    return broken(contract, customers[0])


def test_no_depth_of_nesting_stops_the_worker(pool, contract):
    """Two decoders read a message; what is too deep for the second alone is rejected, too."""
    for depth in range(900, 1100):
        deep = b"[" * depth + b'{"b": 1}' + b"]" * depth
        message = Message("t", 0, 0, 1, None, b'{"customerID": "A", "x": ' + deep + b"}")
        with suppress(Rejection):
            parse_event(message, contract, LIMIT)


def test_there_are_two_hundred(messages):
    assert len(messages) >= 200


def test_each_is_rejected_with_its_kind_and_a_sentence_and_spoils_no_other(
    pool, messages, customers
):
    valid = json.dumps(customers[1]).encode()
    read = []
    for number, (value, headers, _) in enumerate(messages.values()):
        read += [Message("t", 0, 2 * number, 1, None, value, headers),
                 Message("t", 0, 2 * number + 1, 1, None, valid)]  # fmt: skip

    batch = score_messages(read, pool, LIMIT)

    names = list(messages)
    kinds = {names[message.offset // 2]: why.kind for message, why in batch.rejected}
    assert kinds == {name: kind for name, (_, _, kind) in messages.items()}
    assert len(batch.scored) == len(messages)
    assert len({each.answer.probability for each in batch.scored}) == 1
    for message, why in batch.rejected:
        assert str(why).endswith((".", "?")), names[message.offset // 2]
        assert "\n" not in str(why)
        assert len(str(why)) < 2000


@pytest.mark.system
def test_the_worker_lives_and_each_is_in_the_dead_letters_in_every_codec(
    broker, settings, topics, outside, messages, customers
):
    codecs = ("gzip", "snappy", "lz4", "zstd", None)
    sent = list(messages.items())

    with working(settings) as worker:
        for place, codec in enumerate(codecs):
            producer = KafkaProducer(
                bootstrap_servers=broker.address, compression_type=codec, linger_ms=20
            )
            for name, (value, headers, _) in sent[place :: len(codecs)]:
                named = [*headers, ("name", name.encode())]
                producer.send(topics["input"], value, key=b"k", headers=named)
            producer.send(topics["input"], None, key=b"k", headers=[("name", b"tombstone")])
            producer.send(topics["input"], json.dumps(customers[place]).encode())  # no key
            producer.close()
        letters = outside.read("dead_letter", len(sent) + len(codecs))
        answers = outside.read("output", len(codecs))
        code = worker.stop()

    assert code == 0
    assert len(worker.logged("connected")) == 1
    headers = [dict(each.headers) for each in letters]
    # What is too large leaves its place and its reason, not its headers.
    kinds = {
        each.get("name", b"too large").decode(): each["churn-kind"].decode() for each in headers
    }
    expected = {name: kind for name, (_, _, kind) in messages.items()}
    assert kinds == expected | {"tombstone": "empty"}
    assert len(letters) == len(sent) + len(codecs)
    assert all(each["churn-reason"] for each in headers)
    assert len(answers) == len(codecs)
