"""Errors as RFC 9457 has them: application/problem+json, with the field, its value and what is allowed."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from churn.contract.refusals import quote_value
from churn.contract.values import LONGEST_ID
from churn.scoring.fields import FieldError
from service.core.json_types import type_name

PROBLEM_JSON = "application/problem+json"
_encode = msgspec.json.Encoder().encode


class Problem(BaseModel):
    """Answer to a request that is at fault.

    Attributes:
        type: always `about:blank`: the status says what kind of problem it is.
        title: title of the status.
        status: status of the answer.
        detail: what is wrong and what to do, in one sentence.
        request_id: to be named when asking about it.
        field: at fault, if one is.
        value: of that field, shortened.
        allowed: what the contract allows there.
        error: the detail again, below /v2.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str = ""
    field: str | None = None
    value: str | None = None
    allowed: str | None = None
    error: str | None = None


class ProblemError(Exception):
    """A request cannot be answered; its answer is a problem.

    Attributes:
        status: status of the answer.
        headers: beside the usual ones.
        detail: what is wrong and what to do, in one sentence.
        fault: field at fault, its value and what is allowed; empty texts are left out.
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
        self.fault = {"field": field, "value": value, "allowed": allowed}

    @classmethod
    def from_field_error(cls, error: FieldError) -> ProblemError:
        """Returns the problem of a customer that the contract does not allow: 422."""
        return cls(422, str(error), field=error.field, value=error.value, allowed=error.allowed)

    def content(self, request_id: str = "") -> dict[str, str | int]:
        """Returns the problem's fields; empty ones are left out."""
        content: dict[str, str | int] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": _encodable(self.detail),
        }
        if request_id:
            content["request_id"] = request_id
        return content | {name: _encodable(text) for name, text in self.fault.items() if text}

    def body(self, request_id: str = "", *, in_v2: bool = False) -> bytes:
        """Returns the body of the answer; `in_v2` with an `error`, which that protocol's clients read."""
        content = self.content(request_id)
        return _encode(content | {"error": content["detail"]} if in_v2 else content)


def as_problem(error: Exception) -> ProblemError | None:
    """Returns the problem that an exception stands for; None if the service itself is at fault."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, FieldError):
        return ProblemError.from_field_error(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        field = str(first["loc"][-1])
        return ProblemError(422, f"Parameter '{field}': {first['msg']}.", field=field)
    if isinstance(error, HTTPException):
        unknown = "There is no such path; /openapi.json lists them."
        detail = unknown if error.status_code == HTTPStatus.NOT_FOUND else f"{error.detail}."
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if headers.get("allow") == "GET":
            headers["allow"] = "GET, HEAD"
        return ProblemError(error.status_code, detail, headers=headers)
    return None


def internal_error() -> ProblemError:
    """Returns the problem of a request at which the service itself failed: 500."""
    return ProblemError(500, "The service failed at this request. Name the request id when asking.")


def not_an_object(value: object) -> ProblemError:
    """Returns the problem of a customer that is no JSON object: 422."""
    name = type_name(value)
    several = " Several customers go to /v1/score/batch." if isinstance(value, list) else ""
    return ProblemError(
        422, f"The customer is {name}, not an object. Send a JSON object with the customer's "
        f"fields.{several}", field="body", value=name, allowed="a JSON object",
    )  # fmt: skip


def invalid_customer_id(field: str, value: object) -> ProblemError:
    """Returns the problem of an id that cannot be a customer's: 422."""
    allowed = f"a text of at most {LONGEST_ID} characters or a whole number, or left out"
    text = quote_value(value)
    return ProblemError(
        422, f"Field '{field}': {text} is no customer's id. Give {allowed}.",
        field=field, value=text, allowed=allowed,
    )  # fmt: skip


def _encodable(text: str) -> str:
    """Returns a text that UTF-8 can hold: half a surrogate pair becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
