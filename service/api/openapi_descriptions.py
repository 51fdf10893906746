"""How routes are described in the OpenAPI document: bodies, refusals, examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from service.api.problems import PROBLEM_JSON

encode = msgspec.json.Encoder().encode
CUSTOMER = {"$ref": "#/components/schemas/Customer"}

_WHEN = {
    400: "The body is not JSON",
    401: "No key that is let in",
    404: "There is no such thing",
    413: "The body, or the batch, is too large",
    422: "A field or a parameter is not what it must be",
    503: "Not now; see Retry-After",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _WHEN.get(status, HTTPStatus(status).phrase),
            "content": {PROBLEM_JSON: {"schema": schema}},
        }
        for status in statuses
    }


def body(schema: dict[str, Any], *, ndjson: bool = False) -> dict[str, Any]:
    """A request's body."""
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if ndjson:
        content["application/x-ndjson"] = {"schema": {"type": "string"}}
    return {"requestBody": {"required": True, "content": content}}
