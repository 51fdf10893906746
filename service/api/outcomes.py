"""POST /v1/outcomes and /v1/treatments: what happened to customers later, and which of them campaigns contacted."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from churn.ledger.predictions import Outcome, PredictionLedger, TreatmentRecord
from service.api.batch_body import RowLimits, collect_rows, in_slices, split_array
from service.api.outcome_writer import OutcomeWriter, Record
from service.api.problems import ProblemError
from service.api.request_body import body_too_large, parse_json
from service.api.worker_state import WorkerState

_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a caller's clock may be ahead of the service's."""
_NO_NUL = "^[^\\x00]*$"  # PostgreSQL keeps no such character
_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_NO_NUL)]
_AT_FIELD = re.compile(r" - at `\$(?:\[\.\.\.\])?\.?([A-Za-z_]*)`$")
_QUOTED_FIELD = re.compile(r"field `([^`]*)`")


class _Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The customer that one record in a request is about."""

    prediction_id: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=_NO_NUL)] | None
    ) = None
    customer: _Name | None = None


class OutcomeRequest(_Request, forbid_unknown_fields=True, kw_only=True):
    """One outcome in a request."""

    churned: bool
    observed_at: _Time | None = None


class TreatmentRequest(_Request, forbid_unknown_fields=True, kw_only=True):
    """One treatment in a request."""

    treated: bool
    assigned_at: _Time | None = None


@dataclass(frozen=True)
class RecordKind:
    """What a route records.

    Attributes:
        name: of one, as a sentence begins with it.
        request: of one in a request.
        truth: its field that is true or false.
        meaning: of that field.
        time: its field of the time.
        moment: what the time is.
        record: makes one for the ledger.
        write: keeps several in it: all or none.
    """

    name: str
    request: type[_Request]
    truth: str
    meaning: str
    time: str
    moment: str
    record: Callable[..., Any]
    write: Record

    @property
    def schema(self) -> dict[str, Any]:
        """Of one, as JSON Schema."""
        return {
            "type": "object",
            "properties": {
                self.truth: {"type": "boolean", "description": self.meaning},
                "prediction_id": _name(64),
                "customer": _name(200),
                self.time: {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": f"{self.moment}, with its zone; not in the future; now where left out",
                },
            },
            "required": [self.truth],
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("prediction_id", "customer")
            ],
            "additionalProperties": False,
        }


def _name(longest: int) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "maxLength": longest, "pattern": _NO_NUL}


OUTCOME = RecordKind(
    name="Outcome",
    request=OutcomeRequest,
    truth="churned",
    meaning="Whether the customer left",
    time="observed_at",
    moment="When it was known",
    record=Outcome,
    write=PredictionLedger.record_outcomes,
)
TREATMENT = RecordKind(
    name="Treatment",
    request=TreatmentRequest,
    truth="treated",
    meaning="Whether a campaign contacted the customer; false: left out of it by chance (the holdout)",
    time="assigned_at",
    moment="When the campaign did so",
    record=TreatmentRecord,
    write=PredictionLedger.record_treatments,
)


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


async def record_later(
    kind: RecordKind, state: WorkerState, writer: OutcomeWriter, body: bytes
) -> int:
    """Records one outcome or treatment, or several, and returns how many.

    Raises:
        ProblemError: one is at fault, there are too many, or they cannot be recorded now.
    """
    limits = RowLimits(state.settings.max_batch_rows, state.settings.max_body_bytes)
    if body.removeprefix(BOM_UTF8).lstrip()[:1] == b"[":
        items = await collect_rows(split_array(body, limits), limits)
    elif len(body) > limits.row_bytes:
        raise body_too_large(limits.row_bytes)
    else:
        items = [body]
    now = datetime.now(UTC)
    records: list[Any] = []
    parsed = (_parse(kind, item, number, now) for number, item in enumerate(items, start=1))
    async for part in in_slices(parsed):
        records += part
    await writer.write(records, kind.write)
    return len(records)


def _parse(kind: RecordKind, item: bytes, number: int, now: datetime) -> Any:
    place = f"{kind.name} {number}"
    try:
        given = msgspec.convert(parse_json(item), kind.request)
        at = (getattr(given, kind.time) or now).astimezone(UTC)
    except msgspec.ValidationError as error:
        text = str(error)
        match = _AT_FIELD.search(text) or _QUOTED_FIELD.search(text)
        field = (match[1] if match else "") or "body"
        raise ProblemError(
            422, f"{place}: {text.partition(' - at ')[0]} at '{field}'.", field=field
        ) from None
    except OverflowError:
        raise ProblemError(
            422, f"{place}: '{kind.time}' is no time between the years 1 and 9999.",
            field=kind.time,
        ) from None  # fmt: skip
    if at > now + _CLOCKS_DIFFER:
        raise ProblemError(
            422, f"{place}: '{kind.time}' {at.isoformat()} is in the future. Give "
            f"{kind.moment.lower()}.", field=kind.time, value=at.isoformat(),
            allowed=f"at most {_CLOCKS_DIFFER.seconds // 60} minutes later than the service's clock",
        )  # fmt: skip
    if given.prediction_id is None and given.customer is None:
        raise ProblemError(
            422, f"{place} names neither prediction nor customer. Give 'prediction_id', "
            "'customer' or both.", field="prediction_id",
        )  # fmt: skip
    return kind.record(at, getattr(given, kind.truth), given.prediction_id, given.customer)
