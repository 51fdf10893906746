"""Refusals as RFC 9457 has them: application/problem+json, with the field, its value and what would do."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from pydantic import BaseModel, Field

from churn.scoring.fields import FieldError

PROBLEM_JSON = "application/problem+json"
_ENCODE = msgspec.json.Encoder().encode


class Problem(BaseModel):
    """What a refused request is answered with.

    Attributes:
        type: always `about:blank`: the status says what kind of problem it is.
        title: of the status.
        status: of the answer.
        detail: what is wrong and what to do, in one sentence.
        request_id: to be named when asking about it.
        field: at fault, where one is.
        value: found there, shortened.
        allowed: what the contract allows there.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str = ""
    field: str | None = None
    value: str | None = None
    allowed: str | None = Field(default=None)


class ProblemError(Exception):
    """A request is refused.

    Attributes:
        status: of the answer.
        headers: beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str = "",
        value: str = "",
        allowed: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.detail = detail
        self.parts = {"field": field, "value": value, "allowed": allowed}

    @classmethod
    def of(cls, error: FieldError) -> ProblemError:
        """A customer that the contract does not allow: 422."""
        return cls(422, str(error), field=error.field, value=error.value, allowed=error.allowed)

    def content(self, request_id: str = "") -> dict[str, str | int]:
        """The problem's fields; those that say nothing are left out."""
        found: dict[str, str | int] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": printable(self.detail),
        }
        if request_id:
            found["request_id"] = request_id
        found |= {name: printable(text) for name, text in self.parts.items() if text}
        return found

    def body(self, request_id: str = "") -> bytes:
        """The answer's body."""
        return _ENCODE(self.content(request_id))


def printable(text: str) -> str:
    """A text that UTF-8 can carry: half a surrogate pair is shown as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
