"""Requests of browsers from pages of other origins (CORS), for those that `CHURN_CORS_ORIGINS` lists.

Without the setting no answer has a header about it, and browsers let no such page read an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.api.http_request import Answer, HttpRequest

_TAKEN = b"authorization, content-encoding, content-type, x-api-key, x-request-id, inference-header-content-length"
_SHOWN = b"x-request-id, retry-after, inference-header-content-length"
_SECONDS = b"600"
_VARY = (b"vary", b"origin")


class CrossOriginRules:
    """The origins whose pages may ask, compared exactly."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, request: HttpRequest) -> list[tuple[bytes, bytes]]:
        """Returns the headers of the answer, whatever the answer is."""
        if not self._origins:
            return []
        origin = request.head.origin
        if origin not in self._origins:
            return [_VARY]
        return [
            _VARY,
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _SHOWN),
        ]

    def is_preflight(self, request: HttpRequest) -> bool:
        """Whether a browser asks what an allowed origin may send; it cannot send a key with that."""
        return (
            request.method == "OPTIONS"
            and request.head.origin in self._origins
            and any(name == b"access-control-request-method" for name, _ in request.headers)
        )


def preflight_answer(request_id: str) -> Answer:
    """Returns what an allowed origin may send."""
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST"),
        (b"access-control-allow-headers", _TAKEN),
        (b"access-control-max-age", _SECONDS),
        (b"x-request-id", request_id.encode()),
    ]
    return Answer(204, headers, b"")
