"""A field that stands twice in a body is refused like an unknown one; no decoder chooses for the caller."""

import json

import pytest

NDJSON = {"Content-Type": "application/x-ndjson"}


def twice(customer, field="tenure"):
    """The customer as JSON, with one field a second time and the same value."""
    text = json.dumps(customer)
    return f"{text[:-1]}, {json.dumps(field)}: {json.dumps(customer[field])}}}"


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain"])
@pytest.mark.parametrize("field", ["tenure", "customerID", "Contract"])
def test_a_customers_field_is_named(client, customers, path, field):
    answer = client.post(path, content=twice(customers[0], field))

    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["detail"] == f"Field '{field}' stands twice in one object. Send it once."


def test_a_customer_with_colons_in_its_values_is_scored(client, customers):
    customer = customers[0] | {"customerID": "a:b:c"}

    assert client.post("/v1/score", json=customer).status_code == 200


def test_in_a_batch_only_its_row_is_refused(client, customers):
    rows = [json.dumps(customers[0]), twice(customers[1]), json.dumps(customers[2])]

    array = client.post("/v1/score/batch", content=f"[{','.join(rows)}]").json()
    lines = client.post("/v1/score/batch", content="\n".join(rows), headers=NDJSON).text

    for answered in (array, [json.loads(line) for line in lines.splitlines()]):
        assert ["error" in row for row in answered] == [False, True, False]
        assert answered[1]["error"]["field"] == "tenure"


@pytest.mark.parametrize("body", ["%s", "[%s]", '[{"customer":"b","churned":true},%s]'])
def test_an_outcomes_field_is_named(client, body):
    outcome = '{"customer":"a","churned":true,"churned":false}'

    answer = client.post("/v1/outcomes", content=body.replace("%s", outcome))

    assert (answer.status_code, answer.json()["field"]) == (422, "churned")


def test_a_tensors_key_is_named(client):
    body = '{"inputs":[{"name":"a","name":"b","shape":[1],"datatype":"BYTES","data":["x"]}]}'

    answer = client.post("/v2/models/churn/infer", content=body)

    assert (answer.status_code, answer.json()["field"]) == (422, "name")
