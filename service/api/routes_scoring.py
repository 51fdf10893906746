"""Routes about customers."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from service.api import answers, hot
from service.api.desk import Desk
from service.api.wording import CUSTOMER, body, problems


class _Plain(Response):
    """Hands the connection to the plain ASGI endpoint."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await hot.score(self._desk, scope, receive, send)  # type: ignore[arg-type]


def add_scoring_routes(app: FastAPI, desk: Desk) -> None:
    """Adds POST /v1/score."""

    @app.post(
        hot.PATH,
        tags=["scoring"],
        summary="One customer's risk of leaving",
        response_model=answers.Score,
        responses=problems(400, 401, 413, 422, 503),
        openapi_extra=body(CUSTOMER),
    )
    async def score(_request: Request) -> Response:
        return _Plain(desk)
