"""POST /v1/score: the model's exact probabilities, and what the service says about itself."""

import numpy as np
import pytest


def test_answers_are_the_trained_models_bit_for_bit(client, trained, telco_columns, customers):
    expected = trained["1"].probability(telco_columns)

    assert len(customers) == 7043
    for place in range(0, len(customers), 61):
        answer = client.post("/v1/score", json=customers[place])
        assert answer.status_code == 200, answer.text
        assert answer.json()["probability"] == expected[place]


def test_an_answer_has_decision_version_and_an_id_of_its_own(client, customers):
    first, second = (client.post("/v1/score", json=customers[0]).json() for _ in range(2))

    assert first["model_version"] == "1"
    assert first["decision"] is (first["probability"] >= 0.3)
    assert first["prediction_id"] != second["prediction_id"]
    assert first | {"prediction_id": ""} == second | {"prediction_id": ""}


def test_bands_rise_with_the_probability_and_all_but_the_lowest_have_a_positive_decision(
    client, customers
):
    bands = client.get("/metadata").json()["risk_bands"]
    seen = set()

    for customer in customers[::40]:
        answer = client.post("/v1/score", json=customer).json()
        low, high = bands[answer["risk_band"]]
        assert low <= answer["probability"] < high
        assert answer["decision"] is (answer["risk_band"] != "low")
        seen.add(answer["risk_band"])
    assert seen == {"low", "medium", "high", "very_high"}
    edges = [edge for bounds in bands.values() for edge in bounds]
    assert edges == sorted(edges)


def test_bands_come_from_the_threshold_and_the_training_scores(client, trained, telco_columns):
    scores = trained["1"].probability({n: v[:1500] for n, v in telco_columns.items()})
    positive = scores[scores >= 0.3]
    high, very_high = np.quantile(positive, [0.5, 0.8])

    bands = client.get("/metadata").json()["risk_bands"]

    assert bands["low"] == [0.0, 0.3]
    assert bands["medium"][0] == 0.3
    # The bundle keeps the scores' thousandths.
    assert bands["high"][0] == pytest.approx(high, abs=0.01)
    assert bands["very_high"] == [pytest.approx(very_high, abs=0.01), 1.0]


def test_probes_say_that_it_lives_and_is_ready_with_what(client):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "reasons": {},
        "versions": {"production": "1"},
        "refused_bundle": None,
    }


def test_metadata_says_where_the_model_comes_from(client, contract):
    metadata = client.get("/metadata").json()

    assert metadata["model"]["version"] == "1"
    assert metadata["model"]["recipe"] == "blend"
    assert metadata["model"]["profile"] is None
    assert metadata["profile_note"] == "With which profile it was trained is not recorded."
    assert metadata["threshold"] == {"value": 0.3, "basis": "chosen for the tests"}
    assert metadata["metrics"]["roc_auc"]["interval"] == [0.82, 0.86]
    assert metadata["contract"]["digest"] == contract.digest()
    assert metadata["promotion"] == "publish"
    assert metadata["trained_at"] <= metadata["promoted_at"]


def test_the_openapi_document_describes_the_contracts_customer(client, contract, service):
    document = client.get("/openapi.json").json()

    customer = document["components"]["schemas"]["Customer"]
    # It may be left out of a customer of no months.
    assert customer["required"] == [
        column.name for column in contract.features if column.name != "TotalCharges"
    ]
    assert customer["properties"]["Contract"]["enum"] == ["Month-to-month", "One year", "Two year"]
    assert client.post("/v1/score", json=customer["example"]).status_code == 200
    posted = document["paths"]["/v1/score"]["post"]
    assert posted["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Customer"
    }


def test_a_request_id_is_returned_and_made_if_there_is_none(client, customers):
    chosen = client.post("/v1/score", json=customers[0], headers={"X-Request-ID": "call-17"})
    generated = client.post("/v1/score", json=customers[0])
    other = client.get("/metadata", headers={"X-Request-ID": "call-18"})

    assert chosen.headers["x-request-id"] == "call-17"
    assert generated.headers["x-request-id"] == generated.json()["prediction_id"]
    assert other.headers["x-request-id"] == "call-18"


def test_an_unknown_path_is_a_problem_and_no_page(client):
    answer = client.get("/v1/customers")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Not Found"
