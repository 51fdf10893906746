"""Whatever is sent, the answer is a problem that names the field, and the service goes on."""

import json
from contextlib import suppress
from http import HTTPStatus

import pytest

from service.api.problems import ProblemError
from service.api.request_body import parse_json

PATH = "/v1/score"


def post_malformed(client, body, path=PATH):
    answer = client.post(path, content=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


def spelt(customer, field, raw):
    """The customer as JSON, one value spelt as given."""
    return json.dumps(customer | {field: "@"}).replace('"@"', raw).encode()


@pytest.mark.parametrize("path", [PATH, "/v1/explain"])
@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("Contract", json.dumps("x" * 60_000)),
        ("customerID", json.dumps("x" * 60_000)),
        ("Contract", "[" * 5_000 + "]" * 5_000),
        ("Contract", '{"a":' * 5_000 + "1" + "}" * 5_000),
        ("MonthlyCharges", "[" * 60_000),
        ("tenure", "NaN"),
        ("tenure", "Infinity"),
        ("MonthlyCharges", "-Infinity"),
        ("MonthlyCharges", "1e308"),
        ("MonthlyCharges", "1e999"),
        ("tenure", "1" + "0" * 400),
        ("gender", '"\\ud800"'),
        ("customerID", '"\\udfff"'),
        ("gender", "1.5"),
        ("gender", "null"),
        ("gender", "[]"),
        ("gender", "{}"),
        ("customerID", "{}"),
        ("customerID", "true"),
        ("customerID", '"a\\u0000b"'),
        ("tenure", "true"),
        ("tenure", "12.5"),
        ("tenure", "-1"),
        ("tenure", '"twelve"'),
        ("TotalCharges", '""'),
        ("SeniorCitizen", "2"),
        ("Tenure", "1"),
        ("Churn", '"Yes"'),
        ("\\ud800", "1"),
    ],
)
def test_a_field_at_fault_is_named(client, customers, path, field, raw):
    assert customers[0]["tenure"] > 0  # a blank total would be allowed otherwise
    if field.startswith("\\"):
        body = json.dumps(customers[0] | {"@": 1}).replace('"@"', f'"{field}"').encode()
    else:
        body = spelt(customers[0], field, raw)

    problem = post_malformed(client, body, path)

    assert field in problem.get("field", ""), problem
    assert field in problem["detail"]


def test_a_value_is_shown_with_what_is_allowed(client, customers):
    problem = post_malformed(client, json.dumps(customers[0] | {"tenure": 241}))

    assert problem["value"] == "241"
    assert problem["allowed"] == "a whole number from 0 to 240 (months)"
    assert problem["title"] == HTTPStatus(422).phrase


def test_a_missing_field_is_named(client, customers, contract):
    for column in contract.features:
        less = {name: value for name, value in customers[0].items() if name != column.name}
        assert post_malformed(client, json.dumps(less))["field"] == column.name


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"tenure": 1,}', b"\xff\xfe", b'"\xff"', b"nul", b"[]", b"7", b"null", b'"a"',
     b"{}" * 2, b"NaN", b"[" * 100_000, b'{"a": 1' + b"\0" + b"}"],
)  # fmt: skip
def test_what_is_no_customer_at_all_is_refused(client, body):
    post_malformed(client, body)
    post_malformed(client, body, "/v1/explain")
    post_malformed(client, body, "/v2/models/churn/infer")


ONE, MANY = 64 * 2**10, 8 * 2**20
LIMITS = {
    PATH: ONE, f"{PATH}?": ONE, "/v1/explain": ONE, "/no/such/path": ONE, "/livez": ONE,
    "/v1/score/batch": MANY, "/v1/outcomes": MANY, "/v1/treatments": MANY,
    "/v2/models/churn/infer": MANY,
}  # fmt: skip


@pytest.mark.parametrize("path", list(LIMITS))
def test_a_body_is_taken_up_to_the_limit_and_one_byte_more_is_refused(client, path):
    limit = LIMITS[path]

    taken = client.post(path, content=b"[" + b" " * (limit - 2) + b"]")
    refused = client.post(path, content=b" " * (limit + 1))
    in_chunks = client.post(path, content=iter([b" " * limit, b" "]))

    assert taken.status_code in (200, 201, 404, 405, 422)
    for answer in (refused, in_chunks):
        assert answer.status_code == 413
        assert answer.json()["allowed"] == f"{limit} bytes"
        assert answer.headers["connection"] == "close"


def test_after_all_of_it_the_service_answers_and_has_logged_no_value(client, service, customers):
    assert client.post(PATH, json=customers[0]).status_code == 200
    client.post(PATH, json=customers[0] | {"gender": "Zaphod"})
    logged = json.dumps(service.lines)
    assert "Zaphod" not in logged
    assert customers[0]["customerID"] not in logged
    assert not service.logged("request_failed")
    assert not service.logged("unreadable")


def test_no_depth_of_nesting_is_an_error_of_ours():
    """Two decoders read a body; what is too deep for the second alone is refused, too."""
    for depth in range(900, 1100):
        body = b'{"a": ' + b"[" * depth + b'{"b": 1}' + b"]" * depth + b"}"
        with suppress(ProblemError):
            parse_json(body)
