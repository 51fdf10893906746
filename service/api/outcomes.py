"""POST /v1/outcomes: what happened to customers later."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from churn.ledger.predictions import Outcome
from service.api.batch_body import RowLimits, collect_rows, in_slices, split_array
from service.api.outcome_writer import OutcomeWriter
from service.api.problems import ProblemError
from service.api.request_body import body_too_large, parse_json
from service.api.worker_state import WorkerState

_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a caller's clock may be ahead of the service's."""
_NO_NUL = "^[^\\x00]*$"  # PostgreSQL keeps no such character
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_NO_NUL)]
_AT_FIELD = re.compile(r" - at `\$(?:\[\.\.\.\])?\.?([A-Za-z_]*)`$")
_QUOTED_FIELD = re.compile(r"field `([^`]*)`")


class OutcomeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome in a request."""

    churned: bool
    prediction_id: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=_NO_NUL)] | None
    ) = None
    customer: _Name | None = None
    observed_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def _name(longest: int) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "maxLength": longest, "pattern": _NO_NUL}


OUTCOME: dict[str, Any] = {
    "type": "object",
    "properties": {
        "churned": {"type": "boolean", "description": "Whether the customer left"},
        "prediction_id": _name(64),
        "customer": _name(200),
        "observed_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When it was known, with its zone; not in the future; now where left out",
        },
    },
    "required": ["churned"],
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "string"}}}
        for name in ("prediction_id", "customer")
    ],
    "additionalProperties": False,
}


def require_writer(state: WorkerState) -> OutcomeWriter:
    """Returns the writer of outcomes; asked before the body is read.

    Raises:
        ProblemError: 503, there is none, or too many outcomes wait for it.
    """
    if state.outcome_writer is None:
        raise ProblemError(
            503, "This service keeps no ledger. Set CHURN_LEDGER to a database's address.",
            headers={"retry-after": "60"},
        )  # fmt: skip
    state.outcome_writer.check_capacity()
    return state.outcome_writer


async def record_outcomes(state: WorkerState, writer: OutcomeWriter, body: bytes) -> int:
    """Records one outcome or several, and returns how many.

    Raises:
        ProblemError: one is at fault, there are too many, or they cannot be recorded now.
    """
    limits = RowLimits(state.settings.max_batch_rows, state.settings.max_body_bytes)
    if body.lstrip()[:1] == b"[":
        items = await collect_rows(split_array(body, limits), limits)
    elif len(body) > limits.row_bytes:
        raise body_too_large(limits.row_bytes)
    else:
        items = [body]
    now = datetime.now(UTC)
    outcomes: list[Outcome] = []
    parsed = (_parse_outcome(item, number, now) for number, item in enumerate(items, start=1))
    async for part in in_slices(parsed):
        outcomes += part
    await writer.write(outcomes)
    return len(outcomes)


def _parse_outcome(item: bytes, number: int, now: datetime) -> Outcome:
    try:
        outcome = msgspec.convert(parse_json(item), OutcomeRequest)
        observed_at = (outcome.observed_at or now).astimezone(UTC)
    except msgspec.ValidationError as error:
        text = str(error)
        match = _AT_FIELD.search(text) or _QUOTED_FIELD.search(text)
        field = (match[1] if match else "") or "body"
        raise ProblemError(
            422, f"Outcome {number}: {text.partition(' - at ')[0]} at '{field}'.", field=field
        ) from None
    except OverflowError:
        raise ProblemError(
            422, f"Outcome {number}: 'observed_at' is no time between the years 1 and 9999.",
            field="observed_at",
        ) from None  # fmt: skip
    if observed_at > now + _CLOCKS_DIFFER:
        raise ProblemError(
            422, f"Outcome {number}: 'observed_at' {observed_at.isoformat()} is in the future. Give "
            "when it was known.", field="observed_at", value=observed_at.isoformat(),
            allowed=f"at most {_CLOCKS_DIFFER.seconds // 60} minutes later than the service's clock",
        )  # fmt: skip
    if outcome.prediction_id is None and outcome.customer is None:
        raise ProblemError(
            422, f"Outcome {number} names neither prediction nor customer. Give 'prediction_id', "
            "'customer' or both.", field="prediction_id",
        )  # fmt: skip
    return Outcome(observed_at, outcome.churned, outcome.prediction_id, outcome.customer)
