"""Batches, explanations, outcomes and the Open Inference Protocol, over HTTP."""

import json
import time
from codecs import BOM_UTF8
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pydantic import TypeAdapter

from churn.explain.counterfactuals import counterfactuals
from churn.explain.reasons import reason_codes
from churn.ledger.predictions import PredictionLedger
from service.api import response_schemas

NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(customers):
    return "\n".join(map(json.dumps, customers))


def of_one(columns, place):
    return {name: values[place : place + 1] for name, values in columns.items()}


def test_a_batch_answers_each_customer_like_a_single_request(
    client, trained, telco_columns, customers
):
    expected = trained["1"].probability(telco_columns)

    array = client.post("/v1/score/batch", json=customers[:300])
    by_line = client.post("/v1/score/batch", content=lines(customers[:300]), headers=NDJSON)

    rows = [json.loads(line) for line in by_line.text.splitlines()]
    for answered in (array.json(), rows):
        assert [row["row"] for row in answered] == list(range(1, 301))
        assert [row["probability"] for row in answered] == expected[:300].tolist()
        TypeAdapter(list[response_schemas.BatchRow]).validate_python(answered)
    assert by_line.headers["content-type"] == "application/x-ndjson"
    assert len({row["prediction_id"] for row in [*array.json(), *rows]}) == 600


def test_a_refused_row_spoils_no_other(client, customers):
    valid, invalid = customers[0], customers[1] | {"Contract": "Biennial"}

    rows = client.post("/v1/score/batch", json=[valid, invalid, 7, valid]).json()

    assert "probability" in rows[0]
    assert "probability" in rows[3]
    assert rows[1]["error"]["field"] == "Contract"
    assert rows[1]["error"]["value"] == "'Biennial'"
    assert rows[1]["error"]["allowed"] == "Month-to-month, One year, Two year"
    assert rows[2]["error"]["status"] == 422


def test_a_line_that_is_no_json_spoils_no_other(client, customers):
    text = "\n".join(
        [json.dumps(customers[0]), "{", '{"tenure": NaN}', "", json.dumps(customers[1])]
    )

    answer = client.post("/v1/score/batch", content=text, headers=NDJSON)

    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert ["error" in row for row in rows] == [False, True, True, False]
    assert rows[1]["error"]["status"] == 400
    assert rows[2]["error"]["field"] == "tenure"


def test_an_empty_batch_is_answered_empty(client):
    assert client.post("/v1/score/batch", json=[]).json() == []
    assert client.post("/v1/score/batch", content=b"", headers=NDJSON).text == ""


def test_a_batch_of_too_many_rows_is_refused_whole(client):
    answer = client.post("/v1/score/batch", content=b"{}\n" * 10_001, headers=NDJSON)

    assert answer.status_code == 413
    assert answer.json()["allowed"] == "10000 rows"


@pytest.mark.parametrize("body", [b"{}", b"7", b'"a"'])
def test_a_batch_that_is_no_array_is_refused(client, body):
    assert client.post("/v1/score/batch", content=body).status_code == 422


def test_reasons_are_those_of_the_model_in_words(
    client, trained, telco_columns, customers, contract
):
    for place in (0, 4, 17, 2020):
        explained = client.post("/v1/explain", json=customers[place], params={"top": 5}).json()
        response_schemas.Explanation.model_validate(explained)
        (codes,) = reason_codes(trained["1"].model, of_one(telco_columns, place), contract, top=5)
        for field in ("sentence", "contribution"):
            expected = [getattr(reason, field) for reason in codes.reasons]
            assert [reason[field] for reason in explained["reasons"]] == expected
        score = client.post("/v1/score", json=customers[place]).json()
        assert explained["probability"] == score["probability"]
        assert explained["decision"] == score["decision"]


def test_counterfactuals_come_with_their_caveat_or_left_out(
    client, trained, telco_columns, customers, contract
):
    place = int(np.argmax(trained["1"].probability(telco_columns)))
    (expected,) = counterfactuals(
        trained["1"].model, of_one(telco_columns, place), contract, threshold=0.4
    )

    explained = client.post(
        "/v1/explain", json=customers[place], params={"below": 0.4, "changes": 2}
    ).json()
    without = client.post(
        "/v1/explain", json=customers[place], params={"counterfactuals": "false"}
    ).json()

    answered = explained["counterfactuals"]
    assert [one["sentence"] for one in answered["found"]] == [
        one.sentence for one in expected.found
    ]
    assert answered["found"]
    assert answered["caveat"] == expected.caveat
    assert answered["sentence"] == expected.sentence
    assert without["counterfactuals"] is None


def test_a_counterfactual_has_one_change_unless_two_are_requested(
    client, trained, telco_columns, customers
):
    place = int(np.argmax(trained["1"].probability(telco_columns)))

    def sizes(**parameters):
        explained = client.post("/v1/explain", json=customers[place], params=parameters).json()
        return {
            sum(not change["follows"] for change in one["changes"])
            for one in explained["counterfactuals"]["found"]
        }

    assert sizes() == sizes(changes=1) == {1}
    assert sizes(changes=2) == {1, 2}


def test_counterfactuals_of_a_customer_whose_fields_contradict_each_other_are_refused_by_field(
    client, customers
):
    customer = customers[0] | {"PhoneService": "No", "MultipleLines": "Yes"}

    problem = client.post("/v1/explain", json=customer)
    without = client.post("/v1/explain", json=customer, params={"counterfactuals": "false"})

    assert (problem.status_code, problem.json()["field"]) == (422, "MultipleLines")
    assert without.status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("top", "0"), ("top", "many"), ("below", "1"), ("changes", "3"), ("counterfactuals", "7x")],
)
def test_a_parameter_out_of_range_is_named(client, customers, name, value):
    answer = client.post("/v1/explain", json=customers[0], params={name: value})

    assert answer.status_code == 422
    assert answer.json()["field"] == name


def test_outcomes_are_recorded_with_their_prediction(client, service, customers):
    scored = client.post("/v1/score", json=customers[3]).json()["prediction_id"]

    one = client.post(
        "/v1/outcomes",
        json={"prediction_id": scored, "churned": True, "observed_at": "2026-11-01T10:00:00+02:00"},
    )
    two = client.post(
        "/v1/outcomes",
        json=[{"customer": "a", "churned": False}, {"customer": "b", "churned": True}],
    )

    assert (one.status_code, one.json()) == (201, {"recorded": 1})
    assert two.json() == {"recorded": 2}
    kept = ledger_of(service).outcomes()
    first = next(each for each in kept if each.prediction_id == scored)
    assert first.churned is True
    assert first.observed_at.isoformat() == "2026-11-01T08:00:00+00:00"
    assert [each.customer for each in kept if each.customer] == ["a", "b"]


def minutes_from_now(minutes):
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(("minutes", "status"), [(4, 201), (6, 422)])
def test_an_outcome_may_be_as_far_ahead_as_clocks_differ(client, minutes, status):
    sent = {"customer": "ahead", "churned": True, "observed_at": minutes_from_now(minutes)}

    assert client.post("/v1/outcomes", json=sent).status_code == status


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"customer": "a", "churned": "yes"}, "churned"),
        ({"customer": "a"}, "churned"),
        ({"churned": True}, "prediction_id"),
        ({"customer": "", "churned": True}, "customer"),
        ({"customer": "a", "churned": True, "when": 1}, "when"),
        ({"customer": "a", "churned": True, "observed_at": "yesterday"}, "observed_at"),
        ({"customer": "a", "churned": True, "observed_at": "2026-11-01T10:00:00"}, "observed_at"),
        ({"customer": "a", "churned": True, "observed_at": "9999-12-31T23:59:59Z"}, "observed_at"),
        ([{"customer": "a", "churned": True}, {"customer": "a\0", "churned": True}], "customer"),
    ],
)
def test_an_outcome_that_is_none_is_refused_by_field(client, sent, field):
    answer = client.post("/v1/outcomes", json=sent)

    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_treatments_are_recorded_beside_outcomes(client, service, customers):
    scored = client.post("/v1/score", json=customers[3]).json()["prediction_id"]

    one = client.post(
        "/v1/treatments",
        json={"prediction_id": scored, "treated": True, "assigned_at": "2026-11-01T10:00:00+02:00"},
    )
    two = client.post(
        "/v1/treatments",
        json=[{"customer": "a", "treated": False}, {"customer": "b", "treated": True}],
    )

    assert (one.status_code, one.json()) == (201, {"recorded": 1})
    assert two.json() == {"recorded": 2}
    kept = ledger_of(service).treatments()
    first = next(each for each in kept if each.prediction_id == scored)
    assert (first.treated, first.assigned_at) == (True, datetime(2026, 11, 1, 8, tzinfo=UTC))
    others = {each.customer: each.treated for each in kept if each.customer}
    assert others == {"a": False, "b": True}


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"customer": "a", "churned": True}, "churned", "Treatment 1"),
        ({"customer": "a", "treated": 1}, "treated", "Treatment 1"),
        ({"treated": True}, "prediction_id", "names neither prediction nor customer"),
        (
            {"customer": "a", "treated": True, "assigned_at": "9000-01-01T00:00:00Z"},
            "assigned_at",
            "is in the future. Give when the campaign did so.",
        ),
        ([{"customer": "a", "treated": True}, {"customer": "b"}], "treated", "Treatment 2"),
    ],
)
def test_a_treatment_that_is_none_is_refused_by_field(client, sent, field, said):
    answer = client.post("/v1/treatments", json=sent)

    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert said in answer.json()["detail"]


def test_an_outcome_alone_may_have_the_bytes_of_one_customer(client):
    one = json.dumps({"customer": "large", "churned": True}).encode()

    answers = [client.post("/v1/outcomes", content=one.ljust(65_536 + more)) for more in (0, 1)]

    assert [answer.status_code for answer in answers] == [201, 413]


@pytest.mark.parametrize(
    "body", [b'{"customer": "a", "churned": true}', b'[{"customer": "a", "churned": true}]']
)
def test_a_byte_order_mark_before_outcomes_is_skipped(client, body):
    answer = client.post("/v1/outcomes", content=BOM_UTF8 + body)

    assert (answer.status_code, answer.json()["recorded"]) == (201, 1)


def test_outcomes_are_counted_before_the_first_is_read(client):
    answer = client.post("/v1/outcomes", content=b"[" + b"{}," * 10_000 + b"{}]")

    assert (answer.status_code, answer.json()["allowed"]) == (413, "10000 rows")


def tensors(rows):
    return [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": "BYTES",
            "data": [row[name] for row in rows],
        }
        for name in rows[0]
    ]


def test_an_inference_client_gets_the_same_scores(client, trained, telco_columns, customers):
    expected = trained["1"].probability(telco_columns)[:5]

    answer = client.post(
        "/v2/models/churn/infer", json={"id": "call", "inputs": tensors(customers[:5])}
    ).json()

    response_schemas.Inference.model_validate(answer)
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert (answer["id"], answer["model_version"]) == ("call", "1")
    assert outputs["probability"]["data"] == expected.tolist()
    assert outputs["probability"]["shape"] == [5]
    assert outputs["decision"]["data"] == (expected >= 0.3).tolist()


def test_an_inference_client_gets_only_the_outputs_it_names(client, customers):
    request = {"inputs": tensors(customers[:1]), "outputs": [{"name": "decision"}]}

    outputs = client.post("/v2/models/churn/infer", json=request).json()["outputs"]

    assert [output["name"] for output in outputs] == ["decision"]


def test_an_inference_request_at_fault_is_refused_by_tensor(client, customers):
    wrong = tensors(customers[:3])
    wrong[5]["data"] = wrong[5]["data"][:2]
    other = tensors([customers[0], customers[1] | {"tenure": 999}])

    shape = client.post("/v2/models/churn/infer", json={"inputs": wrong}).json()
    value = client.post("/v2/models/churn/infer", json={"inputs": other}).json()

    assert (shape["status"], shape["field"]) == (422, wrong[5]["name"])
    assert (value["status"], value["field"]) == (422, "tenure")
    assert value["detail"].startswith("Row 2: ")


def test_the_model_is_described_and_ready(client, contract):
    described = client.get("/v2/models/churn").json()

    response_schemas.ModelMetadata.model_validate(described)
    assert [each["name"] for each in described["inputs"]][1:] == [c.name for c in contract.features]
    assert described["versions"] == ["1"]
    for path in ("/v2/health/ready", "/v2/models/churn/ready"):
        assert client.get(path).json() == {"ready": True}
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/models/other").status_code == 404


def ledger_of(service):
    return PredictionLedger(service.ledger)


def test_every_answer_is_in_the_ledger_and_nothing_of_the_customer_but_the_id(
    client, service, customers
):
    sent = [client.post("/v1/score", json=customer).json() for customer in customers[:20]]
    batch = client.post("/v1/score/batch", json=customers[:20]).json()
    explained = client.post("/v1/explain", json=customers[0]).json()["prediction_id"]
    inferred = client.post("/v2/models/churn/infer", json={"inputs": tensors(customers[:1])}).json()
    (by_tensor,) = inferred["outputs"][3]["data"]

    until = time.monotonic() + 10
    expected = {each["prediction_id"] for each in [*sent, *batch]} | {explained, by_tensor}
    while True:
        kept = {p.prediction_id: p for p in ledger_of(service).predictions(limit=100_000)}
        if expected <= set(kept) or time.monotonic() > until:
            break
        time.sleep(0.05)
    for place, (alone, among) in enumerate(zip(sent, batch, strict=True)):
        one, other = kept[alone["prediction_id"]], kept[among["prediction_id"]]
        assert one.customer == customers[place]["customerID"]
        assert (one.version, one.role, one.source) == ("1", "production", "api")
        assert (one.probability, one.decision) == (alone["probability"], alone["decision"])
        assert one.input_hash == other.input_hash
        assert other.source == "batch"
    assert len({kept[each["prediction_id"]].input_hash for each in sent}) == 20
    assert (kept[explained].source, kept[by_tensor].source) == ("explain", "inference")
