"""GET /v1/customers/{id}/score: a score from the fields that the online store has of a customer."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI, Request, Response
from msgspec.structs import asdict

from churn.contract.values import LONGEST_ID, is_customer_id
from churn.scoring import FieldError
from service.api import response_schemas
from service.api.json_response import JsonResponse
from service.api.openapi_descriptions import problem_responses
from service.api.problems import ProblemError
from service.api.request_path import CUSTOMER_SCORE
from service.api.stored_customers import StoredCustomers
from service.api.worker_state import WorkerState

SOURCE = "online"

_ID_IN_PATH = re.compile(rb"/v1/customers/([^/]*)/score")
_PARAMETER = {
    "in": "path",
    "name": "id",
    "required": True,
    "description": "The customer's id, percent-encoded where it has other characters than letters and digits",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": r"\S"},
}  # fmt: skip


def add_customer_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v1/customers/{id}/score."""
    customers = StoredCustomers(state.settings, state.pool.production.contract)

    @app.get(
        # An id may hold a slash; the application sees the path decoded.
        CUSTOMER_SCORE.replace("{id}", "{id:path}"),
        tags=["scoring"],
        summary="The risk of a customer whose fields the online store has",
        response_model=response_schemas.StoredScore,
        responses=problem_responses(401, 404, 409, 422, 503),
        openapi_extra={"parameters": [_PARAMETER]},
    )
    async def score(request: Request) -> Response:
        customer = read_customer_id(request.scope["raw_path"])
        stored, age = await customers.read(customer)
        row = {state.pool.id_field: customer} | stored.row
        try:
            answer = state.score_customer(row, SOURCE, request.scope["state"]["own_id"])
        except FieldError as error:
            raise ProblemError(
                409, f"The customer cannot be scored as the online store has it. {error}",
                field=error.field, value=error.value, allowed=error.allowed,
            ) from None  # fmt: skip
        return JsonResponse(asdict(answer) | {"feature_age_seconds": age})


def read_customer_id(raw_path: bytes) -> str:
    """Returns the id in a path, as it was sent.

    Raises:
        ProblemError: 404, the path is another; 422, the id cannot be a customer's.
    """
    found = _ID_IN_PATH.search(raw_path)
    if found is None:
        raise ProblemError(
            404, "There is no such path. Write a slash within an id as %2F; /openapi.json lists all "
            "paths.",
        )  # fmt: skip
    try:
        customer = unquote_to_bytes(found[1]).decode()
    except UnicodeDecodeError:
        customer = ""
    if not is_customer_id(customer):
        raise ProblemError(
            422, f"The path has no customer's id. Give a text of at most {LONGEST_ID} characters, "
            "percent-encoded in UTF-8.", field="id", allowed=f"1 to {LONGEST_ID} characters",
        )  # fmt: skip
    return customer
