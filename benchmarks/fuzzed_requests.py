"""Requests and byte streams made at random from what HTTP and this service know, and from what breaks both.

The same seed gives the same bytes. `fuzzed_request` makes one request; `fuzzed_stream` several behind
one another, cut into segments at random.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Sequence
from random import Random
from typing import Any

SCORE = "/v1/score"
PATHS = (
    "/v1/score/batch", "/v1/explain", "/v1/outcomes", "/metadata", "/livez", "/readyz", "/metrics",
    "/openapi.json", "/docs", "/", "/v2", "/v2/health/ready", "/v2/models/churn",
    "/v2/models/churn/infer", "/v2/models/churn/versions/1/infer", "/v2/models/other/infer",
    "/nowhere", "/v1", "*",
)  # fmt: skip
_ODD_TARGETS = (
    "/v1/score?", "/v1/score?top=3", "/v1/score?key=a&key=b", "/v1/score/", "//v1/score",
    "/v1/%73core", "/v1/../v1/score", "/V1/SCORE", "/v1/score#part", "http://localhost/v1/score",
    "/v1/sc\u00f6re", "/v1/score%00", "/v1/score%ff", "/v1/explain?top=0", "/v1/explain?below=nan",
    "/v1/explain?changes=2&counterfactuals=false", "/v1/score?" + "a" * 3000, "v1/score", "",
)  # fmt: skip
_METHODS = ("POST",) * 12 + (
    "GET",
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "post",
    "TRACE",
)
_VERSIONS = ("HTTP/1.1",) * 30 + (
    "HTTP/1.0",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/1.2",
    "HTTP/1",
    "http/1.1",
    "",
)
_TYPES = (
    "application/json", "application/json; charset=utf-8", "application/x-ndjson", "text/csv",
    "text/plain", "application/octet-stream", "multipart/form-data; boundary=a", "APPLICATION/JSON",
    "application/json; charset=utf-16", "", "nonsense", "application/problem+json",
)  # fmt: skip
_HEADERS = (
    "Accept: application/json", "Accept: text/html", "Accept-Encoding: gzip", "Expect: 100-continue",
    "Expect: nothing", "Connection: keep-alive", "Connection: close", "Connection: Upgrade",
    "Upgrade: websocket", "Upgrade: h2c", "X-Request-ID: abc-123", "X-Request-ID: \u00e9",
    "X-Request-ID: " + "r" * 300, "Origin: https://elsewhere.example", "Cookie: a=b", "X-Empty:",
    "Content-Encoding: gzip", "Content-Encoding: zstd", "Content-Encoding: br",
    "Content-Encoding: identity", "Inference-Header-Content-Length: 10", "Range: bytes=0-1",
    "If-None-Match: *", "TE: trailers", "Forwarded: for=1.2.3.4", "X-Long: " + "a" * 5000,
    "Authorization: Basic YTpi", "Authorization: Bearer nonsense", "traceparent: 00-ab-cd-01",
)  # fmt: skip
_BROKEN_HEADERS = (
    "No colon", " Folded: a", "Space : a", ": no name", "Nul: \x00", "Bell: \x07", "Content-Length: 3",
    "Content-Length: -1", "Content-Length: +5", "Content-Length: 0x10", "Content-Length: 5, 5",
    "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked", "Host: other", "Host: a b",
    "Transfer-Encoding : chunked", "Content-Length: ", "X-Huge: " + "b" * 40_000,
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1e308, -5, 10**30, "", " ", "Yes", "No", "yes", "1", "0", "nan",
    "\u0000", "\ud83d\ude00", "x" * 5000, [], {}, [[]], {"a": 1}, float("nan"), float("inf"),
    "No internet service", "Two year", "2",
)  # fmt: skip
_RAW_BODIES = (
    b"", b" ", b"null", b"true", b"1", b"[]", b"{}", b"[{}]", b"[[]]", b"{", b"[", b"[" * 2000,
    b'{"a":' * 500, b"{}{}", b"{}\n{}", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"\x00", b"NaN",
    b'{"customerID":"a","customerID":"b"}', b"\xed\xa0\x80", b'"\\ud800"', b"1e999", b"-", b"\n\n\n",
    b'{"inputs":[]}', b'{"instances":[]}', b'{"dataframe_records":[{}]}', b"a,b\n1,2\n",
    b'{"inputs":[{"name":"tenure","datatype":"INT64","shape":[1],"data":[1]}]}',
    b'{"inputs":[{"name":"tenure","datatype":"FP64","shape":[-1],"data":[]}]}',
    b'{"prediction_id":"0000000000000000-00000001","churned":true}',
    b'[{"prediction_id":"x","churned":1}]', b'{"customer":"a","churned":"yes"}',
)  # fmt: skip


def fuzzed_request(chance: Random, customers: Sequence[bytes], key: str, *, framed: bool) -> bytes:
    """One request; `framed` ones say truly how long their body is.

    Args:
        chance: what decides.
        customers: valid ones, as JSON.
        key: one that the service accepts.
        framed: whether only what is inside the frame of a request may be wrong.
    """
    body = _body(chance, customers)
    target = chance.choice((SCORE, SCORE, SCORE, chance.choice(PATHS), chance.choice(_ODD_TARGETS)))
    method, version = chance.choice(_METHODS), "HTTP/1.1" if framed else chance.choice(_VERSIONS)
    headers = ["Host: localhost", *_key(chance, key)]
    if chance.random() < 0.8:
        headers.append(
            f"Content-Type: {chance.choice(_TYPES) if chance.random() < 0.3 else _TYPES[0]}"
        )
    while chance.random() < 0.3:
        headers.append(chance.choice(_HEADERS))
    if "Content-Encoding: gzip" in headers and chance.random() < 0.7:
        body = gzip.compress(body, 1, mtime=0)  # the same seed, the same bytes
    if not framed and chance.random() < 0.15:
        headers.append(chance.choice(_BROKEN_HEADERS))
    chunked = chance.random() < 0.2
    headers.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}")
    if not framed and chance.random() < 0.05:
        headers.pop(chance.randrange(len(headers)))
    chance.shuffle(headers)
    newline = "\r\n" if framed or chance.random() < 0.97 else "\n"
    head = newline.join([f"{method} {target} {version}".strip(), *headers, "", ""])
    sent = head.encode("utf-8", "surrogateescape") + (
        _chunks(chance, body, framed) if chunked else body
    )
    return sent if framed else _spoilt(chance, sent)


def fuzzed_stream(chance: Random, customers: Sequence[bytes], key: str) -> list[bytes]:
    """Up to five requests behind one another, in segments."""
    sent = b"".join(
        fuzzed_request(chance, customers, key, framed=chance.random() < 0.6)
        for _ in range(chance.choice((1, 1, 2, 3, 5)))
    )
    if chance.random() < 0.1:
        sent = sent[: chance.randrange(len(sent) + 1)]
    cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(chance.choice((0, 0, 1, 2, 8))))
    places = [0, *cuts, len(sent)]
    return [sent[start:end] for start, end in itertools.pairwise(places) if end > start]


def _key(chance: Random, key: str) -> list[str]:
    return chance.choice(
        (
            *([f"X-API-Key: {key}"],) * 12, *([f"Authorization: Bearer {key}"],) * 2, [],
            ["X-API-Key: wrong"], ["X-API-Key:"], [f"X-API-Key: {key}", f"X-API-Key: {key}"],
            [f"X-API-Key: {key}", "X-API-Key: other"], [f"X-API-Key: {key}", "Authorization: Bearer z"],
            [f"x-api-key:   {key}  "], [f"Authorization: bearer {key}"], ["X-API-Key: \u00e9"],
        )
    )  # fmt: skip


def _body(chance: Random, customers: Sequence[bytes]) -> bytes:
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(customers)
    if kind < 0.45:
        return chance.choice(_RAW_BODIES)
    if kind < 0.5:
        return chance.randbytes(chance.choice((1, 10, 1000, 70_000)))
    rows = [
        _changed(chance, chance.choice(customers)) for _ in range(chance.choice((1, 1, 1, 2, 20)))
    ]
    if kind < 0.85:
        return rows[0]
    if kind < 0.93:
        return b"[" + b",".join(rows) + b"]"
    return b"\n".join(rows)


def _changed(chance: Random, customer: bytes) -> bytes:
    fields: dict[str, Any] = json.loads(customer)
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        name = chance.choice(list(fields) or ["tenure"])
        change = chance.random()
        if change < 0.6:
            fields[name] = chance.choice(_VALUES)
        elif change < 0.75:
            fields.pop(name, None)
        elif change < 0.9:
            fields[chance.choice(("Churn", "extra", name.lower(), "", "\u00e9"))] = chance.choice(
                _VALUES
            )
        else:
            fields = {name: fields.get(name), **fields}
    sent = json.dumps(fields, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        sent = sent[:-1] + b',"tenure":1}'
    return sent


def _chunks(chance: Random, body: bytes, framed: bool) -> bytes:
    sent, left = b"", body
    while left:
        size = chance.choice((1, 2, 7, 64, 1000, len(left)))
        part, left = left[:size], left[size:]
        extension = chance.choice((b"", b"", b";a=b", b";" + b"x" * 50))
        stated = b"%x" % len(part)
        if not framed and chance.random() < 0.05:
            stated = chance.choice(
                (b"", b"g", b"-1", b"0x5", b"fffffffffffffffff", b" 5", b"%X " % len(part))
            )
        sent += stated + extension + b"\r\n" + part + b"\r\n"
        if len(sent) > 200_000:
            break
    return (
        sent
        + b"0\r\n"
        + chance.choice((b"", b"", b"X-Trailer: a\r\n", b"Content-Length: 1\r\n"))
        + b"\r\n"
    )


def _spoilt(chance: Random, sent: bytes) -> bytes:
    if not sent or chance.random() < 0.8:
        return sent
    spoilt = bytearray(sent)
    for _ in range(chance.choice((1, 2, 10))):
        place = (
            chance.randrange(min(len(spoilt), 400))
            if chance.random() < 0.7
            else chance.randrange(len(spoilt))
        )
        change = chance.random()
        if change < 0.5:
            spoilt[place] = chance.randrange(256)
        elif change < 0.75:
            del spoilt[place]
        else:
            spoilt.insert(place, chance.choice(b'\r\n\0 :;"{}[]0'))
        if not spoilt:
            break
    return bytes(spoilt)
