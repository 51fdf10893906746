"""The worker against a broker that speaks Kafka's protocol: what goes in, what comes out."""

import json

from kafka import KafkaProducer
from redis import Redis
from worker_process import wait_until, working

from churn.ledger.predictions import PredictionLedger
from churn.scoring.bundle import publish


def by_customer(records):
    return {record.key.decode(): json.loads(record.value) for record in records}


def test_scores_are_the_scorers_to_the_last_bit_and_are_in_the_ledger(
    settings, outside, customers, scorers
):
    some = customers[:400]
    outside.send(some)

    with working(settings) as worker:
        answers = outside.read("output", len(some))
        code = worker.stop()

    answered = by_customer(answers)
    assert code == 0
    assert len(answers) == len(answered) == len(some)
    for customer in some:
        score, answer = scorers["1"].score_one(customer), answered[customer["customerID"]]
        assert list(answer) == [
            "prediction_id", "probability", "decision", "risk_band", "model_version",
        ]  # fmt: skip
        assert answer["probability"] == score.probability
        assert answer["decision"] is score.decision
        assert answer["model_version"] == "1"
    kept = PredictionLedger(settings["ledger"]).predictions()
    assert {(k.customer, k.prediction_id, k.probability, k.role, k.source) for k in kept} == {
        (customer, a["prediction_id"], a["probability"], "production", "stream")
        for customer, a in answered.items()
    }


def test_customers_in_compressed_batches_are_scored(
    broker, settings, topics, outside, customers, scorers
):
    groups = {codec: customers[place : place + 20]
              for place, codec in zip((0, 20, 40, 60), ("gzip", "snappy", "lz4", "zstd"), strict=True)}  # fmt: skip

    with working(settings) as worker:
        for codec, group in groups.items():
            producer = KafkaProducer(
                bootstrap_servers=broker.address, compression_type=codec, linger_ms=50
            )
            for customer in group:
                producer.send(
                    topics["input"],
                    json.dumps(customer).encode(),
                    headers=[("codec", codec.encode())],
                )
            producer.close()
        answers = outside.read("output", 80)
        code = worker.stop()

    assert code == 0
    assert len(worker.logged("connected")) == 1
    assert {(a.key.decode(), json.loads(a.value)["probability"], *a.headers) for a in answers} == {
        (c["customerID"], scorers["1"].score_one(c).probability, ("codec", codec.encode()))
        for codec, group in groups.items()
        for c in group
    }


def test_the_ledger_may_be_on_postgresql(settings, outside, customers, scorers, postgres_ledger):
    some = customers[:40]
    outside.send(some)

    with working(settings, ledger=postgres_ledger) as worker:
        wait_until(lambda: outside.committed(settings["group"]) == len(some), worker.ready)
        worker.stop()

    kept = PredictionLedger(postgres_ledger).predictions()
    assert {k.customer: k.probability for k in kept} == {
        c["customerID"]: scorers["1"].score_one(c).probability for c in some
    }
    assert {k.source for k in kept} == {"stream"}
    assert "for-tests" not in json.dumps(worker.lines)


POISON = [
    (b"", "empty", "is empty"),
    (b"not json", "not_json", "is not JSON"),
    (b"\xff\xfe", "not_json", "is not JSON"),
    (b"[" * 100_000, "not_json", "nested too deep"),
    (b'{"customerID": "A", "tenure": NaN}', "not_json", "is not JSON"),
    (b"[1, 2]", "not_a_customer", "is a list"),
    (b"{}", "customer_id", "'customerID' is missing"),
    (b'{"customerID": "' + b"x" * 300 + b'"}', "customer_id", "no customer's id"),
    (b'{"customerID": "A"}', "field", "Fields 'gender', "),
    (b'{"instances": [{}]}', "not_a_customer", "a wrapper, of TensorFlow Serving"),
    (b" " * 300_000, "too_large", "at most 262,144"),
]
NAMED = [
    ({"Contract": "Biennial"}, "'Biennial' is not one of"),
    ({"tenure": -1}, "'tenure'"),
    ({"Shoe size": 43}, "'Shoe size' is not in the contract"),
    ({"Churn": "Yes"}, "what is to be predicted"),
]


def test_poison_goes_to_the_dead_letters_with_its_reason_and_the_rest_goes_on(
    settings, outside, customers, scorers
):
    valid = customers[:40]
    named = [(customers[100 + n] | change, why) for n, (change, why) in enumerate(NAMED)]
    bad = [value for value, _, _ in POISON] + [customer for customer, _ in named]
    mixed = [each for pair in zip(valid, bad, strict=False) for each in pair] + valid[len(bad) :]
    outside.send(mixed)

    with working(settings) as worker:
        answered = by_customer(outside.read("output", len(valid)))
        letters = outside.read("dead_letter", len(bad))
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        counted = worker.metric('churn_stream_rejected_total{kind="not_json"}')
        worker.stop()

    assert {c: a["probability"] for c, a in answered.items()} == {
        c["customerID"]: scorers["1"].score_one(c).probability for c in valid
    }
    # A message that is too large to be written back leaves its reason and its offset.
    expected = [(b"" if kind == "too_large" else value, kind, why) for value, kind, why in POISON]
    expected += [(json.dumps(customer).encode(), "field", why) for customer, why in named]
    written = [(letter.value, {n: v.decode() for n, v in letter.headers}) for letter in letters]
    assert len(written) == len(expected)
    for value, kind, why in expected:
        (reason,) = [h["churn-reason"] for v, h in written if (v, h["churn-kind"]) == (value, kind)
                     and why in h["churn-reason"]]  # fmt: skip
        assert reason.endswith((".", "?"))
    assert {h["churn-topic"] for _, h in written} == {settings["input_topic"]}
    assert len({(h["churn-partition"], h["churn-offset"]) for _, h in written}) == len(bad)
    assert counted == len([kind for _, kind, _ in POISON if kind == "not_json"])
    log = json.dumps(worker.lines)
    assert "rejected" in log
    for customer in valid + [customer for customer, _ in named]:
        assert customer["customerID"] not in log
    assert "Biennial" not in log
    assert "Shoe size" not in log


def test_a_worker_killed_in_the_middle_loses_nothing_and_repeats_itself_exactly(
    settings, outside, customers, scorers
):
    some = customers[:1000]
    outside.send(some)

    # Under a name of its own: the brokers of these tests never forget a member that is gone.
    with working(settings, instance="first", batch_messages=5) as worker:
        outside.wait_for_some("output", 50)
        worker.process.kill()
        worker.process.wait()
    committed = outside.committed(settings["group"])
    with working(settings, instance="first") as worker:
        wait_until(lambda: outside.committed(settings["group"]) == len(some))
        worker.stop()
    answers = outside.read("output", len(some))

    assert committed < len(some)
    values_of = {}
    for record in answers:
        values_of.setdefault(record.key.decode(), set()).add(record.value)
    assert len(values_of) == len(some)
    assert all(len(values) == 1 for values in values_of.values())  # a repeated answer is the same
    expected = {c["customerID"]: scorers["1"].score_one(c).probability for c in some}
    assert {c: a["probability"] for c, a in by_customer(answers).items()} == expected
    kept = PredictionLedger(settings["ledger"]).predictions()
    assert {k.customer: k.probability for k in kept} == expected
    assert len({k.prediction_id for k in kept}) == len(some)


def test_sigterm_finishes_the_batch_and_commits_it_so_that_nothing_is_sent_twice(
    settings, outside, customers
):
    some = customers[:1000]
    outside.send(some)

    with working(settings, batch_messages=5) as worker:
        outside.wait_for_some("output", 50)
        code = worker.stop()
    done = len(outside.read("output", 0))
    committed = outside.committed(settings["group"])
    with working(settings) as second:
        answers = outside.read("output", len(some))
        wait_until(lambda: outside.committed(settings["group"]) == len(some))
        second.stop()

    assert code == 0
    assert worker.logged("stopped")
    assert 0 < committed == done < len(some)
    assert len(answers) == len(some) == len({record.key for record in answers})


def test_a_published_version_scores_from_then_on(settings, store, outside, customers, scorers):
    with working(settings) as worker:
        outside.send(customers[:50])
        outside.read("output", 50)
        publish(store, "2")
        wait_until(lambda: worker.ready()["versions"]["production"] == "2")
        outside.send(customers[50:100])
        answers = by_customer(outside.read("output", 100))
        worker.stop()

    for place, customer in enumerate(customers[:100]):
        version = "1" if place < 50 else "2"
        answer = answers[customer["customerID"]]
        assert answer["model_version"] == version
        assert answer["probability"] == scorers[version].score_one(customer).probability


def test_canary_and_shadow_are_the_apis(settings, outside, customers, scorers):
    some = customers[:200]
    outside.send(some)

    with working(settings, canary_version=2, canary_percent=50, shadow_version=2) as worker:
        answers = by_customer(outside.read("output", len(some)))
        worker.stop()

    kept = PredictionLedger(settings["ledger"]).predictions()
    by_role = {role: {k.customer: k for k in kept if k.role == role}
               for role in ("production", "canary", "shadow")}  # fmt: skip
    assert 50 < len(by_role["canary"]) < 150
    assert len(by_role["canary"]) + len(by_role["production"]) == len(some)
    for customer in some:
        name = customer["customerID"]
        version = answers[name]["model_version"]
        assert name in by_role["canary" if version == "2" else "production"]
        assert answers[name]["probability"] == scorers[version].score_one(customer).probability
        shadow = by_role["shadow"][name]
        assert shadow.prediction_id == answers[name]["prediction_id"]
        assert shadow.probability == scorers["2"].score_one(customer).probability


def test_redis_holds_the_latest_score_for_a_time(
    settings, outside, customers, scorers, redis_server
):
    first, second = customers[0], customers[1] | {"customerID": customers[0]["customerID"]}
    redis_server.start()
    outside.send([first, second])

    with working(settings, redis=redis_server.address, redis_ttl_seconds=1000) as worker:
        wait_until(lambda: outside.committed(settings["group"]) == 2)
        worker.stop()

    redis = Redis.from_url(redis_server.address, decode_responses=True)
    (key,) = redis.keys("*")
    kept, left = redis.hgetall(key), redis.ttl(key)
    expected = scorers["1"].score_one(second)
    assert key == f"churn:score:{first['customerID']}"
    assert float(kept["probability"]) == expected.probability
    assert kept["decision"] == str(int(expected.decision))
    assert kept["model_version"] == "1"
    assert set(kept) == {"prediction_id", "probability", "decision", "risk_band",
                         "model_version", "scored_at", "topic", "partition", "offset"}  # fmt: skip
    assert 0 < left <= 1000
    assert "for-tests" not in json.dumps(worker.lines)
