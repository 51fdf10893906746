"""A batch over HTTP: each row answers for itself; and what customers come wrapped in is named."""

from __future__ import annotations

import json

import pytest

BATCH = "/v1/score/batch"
INFER = "/v2/models/churn/infer"
NDJSON = {"Content-Type": "application/x-ndjson"}
BOM = b"\xef\xbb\xbf"
WRAPPERS = ["instances", "dataframe_records", "dataframe_split", "inputs", "data", "payload"]


def without_id(customer):
    return {name: value for name, value in customer.items() if name != "customerID"}


@pytest.mark.parametrize(
    ("field", "spelt", "named"),
    [
        ("tenure", b"NaN", "tenure"),
        ("tenure", b"-Infinity", "tenure"),
        ("MonthlyCharges", b"1e999", "MonthlyCharges"),
        ("Contract", b'"\\ud800"', "Contract"),
        ("tenure", b"1" * 100, "tenure"),
        ("tenure", b"1" * 5000, None),
        ("tenure", b"[[[[[[[[[[1]]]]]]]]]]", "tenure"),
        ("tenure", b"{}", "tenure"),
        ("tenure", b"01", None),
        ("Contract", b'"\xff"', None),
        ("Contract", b"'Two year'", None),
    ],
)
@pytest.mark.parametrize("by_line", [False, True])
def test_a_value_that_is_no_json_names_its_row_and_spoils_no_other(
    client, customers, field, spelt, named, by_line
):
    wrong = json.dumps(customers[0] | {field: "HERE"}).encode().replace(b'"HERE"', spelt)
    right = json.dumps(customers[1]).encode()
    rows = [right, wrong, right]
    body = b"\n".join(rows) if by_line else b"[" + b",".join(rows) + b"]"

    answer = client.post(BATCH, content=body, headers=NDJSON if by_line else {})

    assert answer.status_code == 200, answer.text
    answers = list(map(json.loads, answer.text.splitlines())) if by_line else answer.json()
    alone = client.post("/v1/score", content=right).json()["probability"]
    assert [row["row"] for row in answers] == [1, 2, 3]
    assert [row.get("probability") for row in answers] == [alone, None, alone]
    assert answers[1]["error"].get("field") == named


def test_an_array_that_ends_in_a_row_is_refused_whole_and_says_where(client, customers):
    body = json.dumps(customers[:2]).encode()[:-30]

    answer = client.post(BATCH, content=body)

    assert answer.status_code == 400
    assert "row 2, from byte " in answer.json()["detail"]


def test_a_row_carries_its_customers_id_if_it_has_one(client, customers):
    name = customers[0]["customerID"]
    rows = [
        customers[0],
        without_id(customers[0]),
        customers[0] | {"customerID": 17},
        customers[0] | {"tenure": -1},
        customers[0] | {"customerID": None},
        customers[0] | {"customerID": []},
        7,
    ]

    answers = client.post(BATCH, json=rows).json()

    absent = object()
    ids = [row.get("customerID", absent) for row in answers]
    assert ids == [name, absent, 17, name, absent, absent, absent]
    assert ["error" in row for row in answers] == [False, False, False, True, False, True, True]


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", BATCH])
@pytest.mark.parametrize("target", ["Yes", None, ["x"]])
def test_the_target_may_stand_in_a_row_if_the_request_says_so(client, customers, path, target):
    several = path == BATCH
    customer = customers[0] | {"Churn": target}

    def post(body, **parameters):
        answer = client.post(path, json=[body] if several else body, params=parameters)
        return answer.json()[0] if several else answer.json()

    plain, ignored, refused = post(customers[0]), post(customer, ignore="target"), post(customer)

    assert ignored["probability"] == plain["probability"]
    detail = (refused["error"] if several else refused)["detail"]
    assert detail.endswith("Leave it out, or let the request say ignore=target.")
    answer = client.post(path, json=customer, params={"ignore": "everything"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "ignore"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (path, name)
        for path in ("/v1/score", "/v1/explain", INFER, BATCH)
        for name in WRAPPERS
        if (path, name) != (INFER, "inputs")
    ],  # its own
)
def test_a_wrapper_around_customers_is_named_with_the_way_out(client, customers, path, name):
    answer = client.post(path, json={name: customers[:2], "id": "call"})

    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert f"'{name}' is no field but a wrapper, of " in detail
    assert "Send " in detail


def test_a_wrapper_in_a_row_of_a_batch_is_named(client, customers):
    wrapped, right = client.post(BATCH, json=[{"instances": customers[:1]}, customers[0]]).json()

    assert "'instances' is no field but a wrapper" in wrapped["error"]["detail"]
    assert "probability" in right


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", INFER])
def test_an_array_on_the_route_of_one_is_named(client, customers, path):
    answer = client.post(path, json=customers[:2])

    assert answer.status_code == 422
    way_out = (
        "no list of tensors in a JSON object."
        if path == INFER
        else "Several customers go to /v1/score/batch."
    )
    assert answer.json()["detail"].endswith(way_out)


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", BATCH])
def test_a_byte_order_mark_before_json_is_skipped(client, customers, path):
    body = json.dumps(customers[:1] if path == BATCH else customers[0]).encode()
    headers = NDJSON if path == BATCH else {}

    def probabilities(content):
        answer = client.post(path, content=content)
        assert answer.status_code == 200, answer.text
        rows = answer.json() if path == BATCH else [answer.json()]
        return [row["probability"] for row in rows]

    assert probabilities(BOM + body) == probabilities(body)
    assert client.post(path, content=BOM + BOM + body).status_code in (400, 422)
    if headers:
        by_line = client.post(path, content=BOM + json.dumps(customers[0]).encode(), headers=NDJSON)
        assert "probability" in by_line.json()


def test_a_body_of_nothing_but_a_byte_order_mark_is_empty(client):
    answer = client.post("/v1/score", content=BOM)

    assert (answer.status_code, "is empty" in answer.json()["detail"]) == (400, True)
