"""What clients of HTTP expect of any server: HEAD, Allow, compressed bodies, parameters, CORS."""

import gzip
import json

import httpx
import pytest
import zstandard

from tests.servers.churn_api import serving

READ = [
    "/livez", "/readyz", "/metadata", "/metrics", "/openapi.json", "/docs", "/docs/swagger-ui.css", "/",
    "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/churn", "/v2/models/churn/ready",
    "/v2/models/churn/versions/1", "/v2/models/churn/versions/1/ready",
]  # fmt: skip
SENT = ["/v1/score", "/v1/explain", "/v1/score/batch", "/v1/outcomes", "/v2/models/churn/infer"]
OWN = {"date", "x-request-id"}


def zstd(data):
    return zstandard.ZstdCompressor().compress(data)


@pytest.fixture(scope="module", params=[True, False], ids=["short-path", "plain-path"])
def running(request, published_store, tmp_path_factory):
    """A service with small limits and an allowed origin, with the short path and without."""
    folder = tmp_path_factory.mktemp("http")
    settings = {
        "cors_origins": "https://crm.example, http://localhost:3000",
        "max_body_bytes": 2048, "max_batch_bytes": 20_000, "short_path": request.param,
    }  # fmt: skip
    with serving(published_store, folder, **settings) as service:
        yield service


@pytest.fixture
def client(running):
    with running.client() as client:
        yield client


def valid_body(path, customer):
    """A body that the path answers with success."""
    if path.endswith("infer"):
        tensors = [
            {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]}
            for name, value in customer.items()
        ]
        return json.dumps({"inputs": tensors}).encode()
    if path.endswith("outcomes"):
        return b'{"customer": "a", "churned": true}'
    return json.dumps([customer] if path.endswith("batch") else customer).encode()


@pytest.mark.parametrize("path", [*READ, "/none"])
def test_a_head_has_the_headers_of_the_whole_answer_and_no_body(client, path):
    whole, head = client.get(path), client.head(path)

    assert head.status_code == whole.status_code
    assert head.content == b""
    same = {n: v for n, v in whole.headers.items() if n not in OWN}
    found = {n: v for n, v in head.headers.items() if n not in OWN}
    if path == "/metrics":  # it counts its own requests
        same.pop("content-length"), found.pop("content-length")
    assert found == same
    assert client.get("/livez").status_code == 200  # the connection is not out of step


@pytest.mark.parametrize("path", ["/livez", "/v2/models/churn", "/docs"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_is_only_read_says_so(client, path, method):
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", SENT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_what_is_only_sent_says_so(client, path, method):
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v2/models/other", "GET", 404),
        ("/v2/", "GET", 404),
        ("/v2/models/churn/versions/9", "GET", 404),
        ("/v2/models/churn", "POST", 405),
        ("/v2/models/churn/infer", "POST", 400),
        ("/v2?verbose=1", "GET", 422),
    ],
)
def test_errors_below_v2_have_the_sentence_where_its_clients_look(client, path, method, status):
    problem = client.request(method, path)

    assert problem.status_code == status
    assert problem.json()["error"] == problem.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/score", "/v20", "/v3/models"])
def test_errors_elsewhere_have_none(client, path):
    assert "error" not in client.post(path).json()


@pytest.mark.parametrize("path", SENT)
@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("zstd", zstd), ("identity", bytes),
     ("gzip, zstd", lambda data: zstd(gzip.compress(data)))],
)  # fmt: skip
def test_a_compressed_body_is_answered_like_a_plain_one(client, customers, path, coding, compress):
    body = valid_body(path, customers[0])

    plain = client.post(path, content=body)
    answer = client.post(path, content=compress(body), headers={"Content-Encoding": coding})

    assert answer.status_code == plain.status_code < 300, answer.text
    assert answer.headers["content-type"] == plain.headers["content-type"]
    assert without_ids(answer.json()) == without_ids(plain.json())


def without_ids(content):
    text = json.dumps(content)
    for part in [*text.split('"')]:
        if len(part) == 25 and part[16] == "-":
            text = text.replace(part, "an id")
    return text


@pytest.mark.parametrize("path", SENT)
def test_the_limit_is_of_what_a_body_holds(client, path):
    limit = 2048 if path in ("/v1/score", "/v1/explain") else 20_000

    for compress, coding in ((gzip.compress, "gzip"), (zstd, "zstd")):
        headers = {"Content-Encoding": coding}
        blanks = b" " * (limit - 2)
        within = client.post(path, content=compress(b"[" + blanks + b"]"), headers=headers)
        beyond = client.post(path, content=compress(b"[ " + blanks + b"]"), headers=headers)
        assert within.status_code != 413
        assert (beyond.status_code, beyond.json()["allowed"]) == (413, f"{limit} bytes")


@pytest.mark.parametrize("path", SENT)
def test_another_coding_is_refused_with_those_that_are_taken(client, path):
    answer = client.post(path, content=b"{}", headers={"Content-Encoding": "br"})

    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, zstd"


@pytest.mark.parametrize("path", SENT)
def test_a_body_that_is_not_what_its_header_says_is_refused(client, path):
    answer = client.post(path, content=b"{}", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 400
    assert "gzip" in answer.json()["detail"]


@pytest.mark.parametrize("path", [*READ, *SENT])
def test_an_unknown_parameter_is_refused_on_every_path(client, customers, path):
    method, body = ("GET", None) if path in READ else ("POST", valid_body(path, customers[0]))

    answer = client.request(method, f"{path}?colour=red", content=body)

    assert answer.status_code == 422
    assert answer.json()["field"] == "colour"
    assert "Parameter 'colour' is not known here" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("/v1/explain", "topp=3", "did you mean 'top'?"),
        ("/v1/explain", "top=3&top=3", "'top' stands twice"),
        ("/v1/score", "ignore=target&ignore=target", "'ignore' stands twice"),
        ("/v1/score", "Ignore=target", "did you mean 'ignore'?"),
        ("/v1/score/batch", "ignored=target", "did you mean 'ignore'?"),
    ],
)
def test_parameters_at_fault_are_named(client, customers, path, query, sentence):
    answer = client.post(f"{path}?{query}", content=valid_body(path, customers[0]))

    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("query", ["", "ignore=target"])
def test_known_parameters_are_taken(client, customers, query):
    answer = client.post(f"/v1/score?{query}", content=valid_body("/v1/score", customers[0]))

    assert answer.status_code == 200


def test_a_parameter_of_a_path_that_is_none_is_not_what_is_wrong(client):
    assert client.get("/nothing?colour=red").status_code == 404
    assert client.get("/v1/score?colour=red").status_code == 405


ORIGIN = "https://crm.example"


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", "/v1/score/batch", "/livez", "/none"])
@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
def test_an_answer_to_an_allowed_origin_may_be_read(client, customers, path, origin):
    method = "POST" if path.startswith("/v1") else "GET"
    body = valid_body(path, customers[0]) if method == "POST" else None

    answer = client.request(method, path, content=body, headers={"Origin": origin})

    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "origin"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    ["https://crm.example.evil", "http://crm.example", "https://CRM.example", "null", "*", ""],
)
def test_no_other_origin_may(client, customers, origin):
    for answer in (
        client.post("/v1/score", json=customers[0], headers={"Origin": origin}),
        client.get("/livez", headers={"Origin": origin}),
        client.get("/livez"),
    ):
        assert answer.headers["vary"] == "origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]


def preflight(client, path, origin=ORIGIN, **headers):
    sent = {"Origin": origin, "Access-Control-Request-Method": "POST"} | headers
    return client.options(path, headers=sent)


def test_a_preflight_is_answered_without_a_key(store, tmp_path):
    with serving(store, tmp_path, cors_origins=ORIGIN, api_keys="ab" * 32) as service:
        answer = preflight(service.client(), "/v1/score")
        other = preflight(service.client(), "/v1/score", "https://other.example")
        sent = httpx.post(f"{service.url}/v1/score", json={}, headers={"Origin": ORIGIN})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert {"authorization", "content-type", "x-api-key"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert other.status_code == 401
    assert "access-control-allow-origin" not in other.headers
    assert sent.status_code == 401
    assert sent.headers["access-control-allow-origin"] == ORIGIN


def test_without_the_setting_no_header_speaks_of_origins(service):
    with service.client() as client:
        for answer in (preflight(client, "/v1/score"), client.get("/livez")):
            assert "vary" not in answer.headers
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origins", ["*", "crm.example", "https://crm.example/", "ftp://a"])
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(origins):
    from churn.errors import InputError
    from service.api.service_settings import read_settings

    with pytest.raises(InputError, match="CHURN_CORS_ORIGINS"):
        read_settings({"CHURN_CORS_ORIGINS": origins})
