"""What every route shares: who answers, who may ask, and the note that goes to the ledger."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sized
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from churn.ledger.predictions import Prediction, PredictionLedger, input_hash
from churn.scoring import Score
from churn.scoring.encoder import Values
from churn.scoring.fields import shown
from service.api.problems import Refusal
from service.api.service_settings import ServiceSettings
from service.core.environment_settings import NONE
from service.core.ledger_writer import Recorder
from service.core.loaded_model import Served
from service.core.model_pool import Champions
from service.core.worker_metrics import RequestTally
from service.keys import Keyring

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_BEARER = b"bearer "
LONGEST_ID = 200
"""Characters of a customer's id; the ledger keeps no more."""


class ScoreAnswer(msgspec.Struct):
    """What POST /v1/score answers; `service.api.response_schemas.Score` is its schema."""

    prediction_id: str
    probability: float
    decision: bool
    risk_band: str
    model_version: str


class Desk:
    """One worker's state.

    Attributes:
        settings: how it runs.
        tallies: folder of the figures of all workers.
        tally: this worker's figures.
        champions: who answers.
        keys: who may ask.
        ledger: where outcomes go; None where nothing is kept.
        recorder: where predictions go.
        running: the requests being answered, queued ones too; the server's own set.
        draining: whether this worker is about to stop.
    """

    def __init__(self, settings: ServiceSettings, tallies: Path) -> None:
        """Loads everything.

        Raises:
            ChurnError: something the service needs is not there or not fit to be used.
        """
        self.settings = settings
        self.tallies = tallies
        self.keys = Keyring(settings.api_keys, settings.api_key_file)
        self.tally = RequestTally(tallies)
        self.champions = Champions(settings, tallies, self.tally)
        self.ledger = None if settings.ledger == NONE else PredictionLedger(settings.ledger)
        self.recorder = Recorder(
            self.ledger,
            self.tally,
            limit=settings.ledger_queue,
            flush=settings.ledger_flush_seconds,
            shadow=lambda: self.champions.shadow,
        )
        self._shadowed = self.champions.shadow is not None
        self._noting = self._shadowed or self.ledger is not None
        self.running: Sized = ()
        self.draining = False
        self._prefix = secrets.token_hex(8)
        self._count = count(1)

    def new_id(self) -> str:
        """An id that no other prediction or request has, in this process or any other."""
        return f"{self._prefix}-{next(self._count):08x}"

    def score(self, row: Any, source: str) -> ScoreAnswer:
        """Scores a customer and notes it for the ledger.

        Args:
            row: as it came, decoded.
            source: on which path it came.

        Raises:
            FieldError: the contract does not allow the customer.
            Refusal: it is no object.
        """
        served, prediction_id = self.who_answers(row)
        scorer = served.scorer
        values = scorer.values(row)
        score = scorer.score_values(values)
        return self.answer(row, served, prediction_id, values, score, source)

    def who_answers(self, row: Any) -> tuple[Served, str]:
        """The version that answers for a customer, and the prediction's id.

        Raises:
            Refusal: the customer is no object, or has an id that is none.
        """
        if type(row) is not dict:
            raise not_an_object(row)
        prediction_id = self.new_id()
        champions = self.champions
        customer = row.get(champions.id_field)
        if customer is not None and not (
            (type(customer) is str and len(customer) <= LONGEST_ID and "\0" not in customer)
            or type(customer) is int
        ):
            raise _not_an_id(champions.id_field, customer)
        if champions.canary is None:
            return champions.production, prediction_id
        return champions.choose(str(customer or prediction_id)), prediction_id

    def answer(
        self,
        row: Mapping[str, Any],
        served: Served,
        prediction_id: str,
        values: Values,
        score: Score,
        source: str,
    ) -> ScoreAnswer:
        """A score as it is answered; it is counted, and noted for the ledger."""
        probability, _, decision, version = score
        served.tally.scored(probability, decision=decision)
        if self._noting:
            customer = row.get(self.champions.id_field)
            self.recorder.note(
                Prediction(
                    datetime.now(UTC),
                    prediction_id,
                    None if customer is None else str(customer),
                    version,
                    served.role,
                    source,
                    probability,
                    decision,
                    input_hash(values[: len(served.scorer.names)]),
                ),
                row if self._shadowed else None,
            )
        return ScoreAnswer(prediction_id, probability, decision, served.bands(probability), version)

    def require_key(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Refuses whoever shows no key that is let in.

        Raises:
            Refusal: 401.
        """
        shown = b""
        for name, value in headers:
            if name == b"x-api-key":
                shown = value
            elif name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
                shown = value[len(_BEARER) :].strip()
        if not shown:
            raise Refusal(
                401, "A key is needed. Send it as 'X-API-Key' or as 'Authorization: Bearer'.",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip
        if not self.keys.lets_in(shown):
            raise Refusal(
                401, "The key is not one that is let in. Send one whose digest the service lists.",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip

    def require_room(self) -> None:
        """Refuses a request beyond those this worker answers at once.

        Raises:
            Refusal: 503, with Retry-After.
        """
        if len(self.running) > self.settings.max_concurrency:
            raise self.no_room()

    def no_room(self) -> Refusal:
        """503, with Retry-After."""
        return Refusal(
            503, "More requests than are answered at once. Ask again in a second.",
            headers={"retry-after": "1"},
        )  # fmt: skip

    def faults(self) -> dict[str, str]:
        """Why this worker should not be asked; empty where it should."""
        found = {}
        if self.draining:
            found["draining"] = "The worker is about to stop."
        return found

    def detail(self) -> Mapping[str, Any]:
        """What /readyz says of the versions and of what is wrong with them."""
        return {"versions": self.champions.roles(), "refused_bundle": self.champions.refused}


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The id that the caller gave the request, where it gave one fit to be repeated."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return None


def _not_an_id(field: str, value: object) -> Refusal:
    allowed = f"a text of at most {LONGEST_ID} characters or a whole number, or left out"
    found = shown(value)
    return Refusal(
        422, f"Field '{field}': {found} is no customer's id. Give {allowed}.",
        field=field, value=found, allowed=allowed,
    )  # fmt: skip


def not_an_object(value: object) -> Refusal:
    """The refusal of a customer that is no JSON object."""
    kind = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    return Refusal(
        422, f"The customer is {kind.get(type(value), 'a number')}, not an object. Send a JSON "
        "object with the customer's fields.",
        field="body", value=kind.get(type(value), "a number"), allowed="a JSON object",
    )  # fmt: skip
