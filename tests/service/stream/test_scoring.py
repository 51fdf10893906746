"""A batch of messages: their prediction ids, customer ids, and a failure of the worker itself."""

import json

import pytest
from scipy.special import expit

from churn.scoring.bundle import publish
from service.core.environment_settings import StoreSettings
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from service.stream.message_scoring import score_messages
from service.stream.messages import Message

LIMIT = 10_000


def message(customer, offset=0, **changed):
    fields = {"topic": "t", "partition": 0, "offset": offset, "timestamp": 1, "key": None}
    return Message(**fields | {"value": json.dumps(customer).encode()} | changed)


def test_a_message_is_one_prediction_however_often_it_is_read(pool, customers):
    first = message(customers[0])

    once, again = (score_messages([first], pool, LIMIT).scored[0] for _ in range(2))
    others = [message(customers[0], **change) for change in (
        {"topic": "u"}, {"partition": 1}, {"offset": 1}, {"timestamp": 2},
    )]  # fmt: skip

    assert once.value == again.value
    ids = {each.answer.prediction_id for each in score_messages(others, pool, LIMIT).scored}
    assert len(ids | {once.answer.prediction_id}) == 5


@pytest.mark.parametrize(("decision", "band"), [(True, "medium"), (False, "low")])
def test_a_repeated_message_keeps_the_answer_of_a_version_that_is_gone(
    pool, customers, decision, band
):
    first = message(customers[0])
    (prediction,) = score_messages([first], pool, LIMIT).predictions
    cut = pool.production.bands.cuts[0]  # of this version: the other one had another threshold
    probability = cut - 0.01 if decision else cut + 0.01
    old = prediction._replace(version="0", probability=probability, decision=decision)

    batch = score_messages([first], pool, LIMIT, recorded={first.prediction_id: old})

    assert batch.predictions == [old]
    answer = batch.scored[0].answer
    assert (answer.model_version, answer.probability) == ("0", probability)
    assert (answer.decision, answer.risk_band) == (decision, band)


def test_a_recalibrated_model_answers_with_its_line_on_the_fitted_log_odds(
    store, tmp_path, trained, telco_columns, customers
):
    publish(store, "2")
    pool = ModelPool(StoreSettings(store=str(store)), tmp_path, RequestMetrics(tmp_path))
    model = trained["2"].model
    logit = model.fitted.logit({name: values[:40] for name, values in telco_columns.items()})

    batch = score_messages([message(c, n) for n, c in enumerate(customers[:40])], pool, LIMIT)

    assert [each.answer.probability for each in batch.scored] == expit(
        model.map.slope * logit + model.map.intercept
    ).tolist()


def test_a_failure_of_the_worker_itself_rejects_the_message_and_not_the_batch(
    pool, customers, monkeypatch, capsys
):
    name = customers[1]["customerID"]
    choose = pool.choose

    def failing(customer):
        if customer == name:
            raise ZeroDivisionError(name)
        return choose(customer)

    monkeypatch.setattr(pool, "choose", failing)
    batch = score_messages([message(c, n) for n, c in enumerate(customers[:3])], pool, LIMIT)

    ((rejected, why),) = batch.rejected
    assert rejected.offset == 1
    assert why.kind == "failed"
    assert "ZeroDivisionError" in str(why)
    assert [s.customer for s in batch.scored] == [customers[n]["customerID"] for n in (0, 2)]
    assert len(batch.predictions) == 2
    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["offset"]) == ("message_failed", 1)
    assert name not in json.dumps(logged)


@pytest.mark.parametrize("value", ["x" * 201, "", "a\0b", True, 1.5, ["a"], {"a": 1}, "\ud800"])
def test_an_id_that_the_ledger_could_not_keep_is_rejected(pool, customers, value):
    batch = score_messages([message(customers[0] | {"customerID": value})], pool, LIMIT)

    ((_, why),) = batch.rejected
    assert why.kind == ("not_json" if value == "\ud800" else "customer_id")
    assert not batch.scored


def test_a_whole_number_is_an_id(pool, customers):
    (scored,) = score_messages([message(customers[0] | {"customerID": 17})], pool, LIMIT).scored

    assert scored.customer == "17"


def test_a_field_that_stands_twice_rejects_its_message_alone(pool, customers):
    text = json.dumps(customers[1])
    twice = message(customers[1], 1, value=f'{text[:-1]}, "tenure": 1}}'.encode())

    batch = score_messages([message(customers[0]), twice], pool, LIMIT)

    ((rejected, why),) = batch.rejected
    assert (rejected.offset, why.kind, why.field) == (1, "field", "tenure")
    assert "stands twice" in str(why)
    assert len(batch.scored) == 1


def test_a_byte_order_mark_before_the_customer_is_skipped(pool, customers):
    plain = message(customers[0])
    marked = message(None, value=b"\xef\xbb\xbf" + plain.value)

    (one,), (other,) = (score_messages([each], pool, LIMIT).scored for each in (plain, marked))

    assert one.value == other.value


@pytest.mark.parametrize("wrapper", ["instances", "dataframe_records", "payload"])
def test_a_wrapper_is_named_for_what_it_is(pool, customers, wrapper):
    batch = score_messages([message({wrapper: [customers[0]]})], pool, LIMIT)

    ((_, why),) = batch.rejected
    assert why.kind == "not_a_customer"
    assert f"'{wrapper}' is no field but a wrapper" in str(why)


@pytest.mark.parametrize(("size", "kind"), [(600, None), (599, "too_large")])
def test_a_message_of_the_limits_size_is_read(pool, customers, size, kind):
    content = json.dumps(customers[0]).encode()
    exact = message(None, value=content + b" " * (600 - len(content)))

    batch = score_messages([exact], pool, size)

    assert [why.kind for _, why in batch.rejected] == ([kind] if kind else [])
