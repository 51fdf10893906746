"""Descriptions of the routes in the OpenAPI document: bodies and problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from service.api.problems import PROBLEM_JSON

Responses = dict[int | str, dict[str, Any]]
"""Status -> what FastAPI writes about it into the OpenAPI document."""

CUSTOMER = {"$ref": "#/components/schemas/Customer"}
ANY_ROW = {"anyOf": [CUSTOMER, {"description": "Anything else gets an error of its own"}]}

_DESCRIPTIONS = {
    400: "The request or its body cannot be read",
    401: "No valid key",
    404: "There is no such thing",
    408: "The request was not complete in time",
    409: "The customer cannot be scored with the fields that are stored",
    413: "The body, or the batch, is too large",
    415: "The body is compressed in another way than gzip or zstd",
    422: "A field or a parameter is at fault",
    431: "Request line and headers are too large",
    503: "Not now; see Retry-After",
}


def problem_responses(*statuses: int) -> Responses:
    """Returns the problems that a route may answer."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _DESCRIPTIONS.get(status, HTTPStatus(status).phrase),
            "content": {PROBLEM_JSON: {"schema": schema}},
        }
        for status in statuses
    }


def text_response(*media_types: str) -> Responses:
    """Returns the description of an answer that is text."""
    return {200: {"content": {each: {"schema": {"type": "string"}} for each in media_types}}}


def not_ready(model: type[BaseModel]) -> Responses:
    """Returns the description of a worker's answer while it should not get requests."""
    return {503: {"model": model, "description": "This worker should not get requests"}}


def request_body(schema: dict[str, Any], *text_types: str) -> dict[str, Any]:
    """Returns the description of a request's body: JSON, or text of the other types."""
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    content |= {each: {"schema": {"type": "string"}} for each in text_types}
    return {"requestBody": {"required": True, "content": content}}
