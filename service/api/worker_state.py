"""What every route shares: who answers, who may ask, and the note that goes to the ledger."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sized
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from churn.contract.refusals import quote_value
from churn.contract.values import LONGEST_ID, is_customer_id
from churn.ledger.predictions import Prediction, PredictionLedger, input_hash
from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.problems import ProblemError
from service.api.service_settings import ServiceSettings
from service.core.environment_settings import NONE
from service.core.keys import Keyring
from service.core.ledger_writer import LedgerWriter
from service.core.loaded_model import LoadedModel
from service.core.model_pool import ModelPool
from service.core.score_answer import ScoreAnswer
from service.core.worker_metrics import RequestMetrics

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_BEARER = b"bearer "


class WorkerState:
    """One worker's state.

    Attributes:
        settings: how it runs.
        metrics_folder: folder of the figures of all workers.
        metrics: this worker's figures.
        pool: who answers.
        keys: who may ask.
        ledger: where outcomes go; None where nothing is kept.
        ledger_writer: where predictions go.
        running: the requests being answered, queued ones too; the server's own set.
        draining: whether this worker is about to stop.
    """

    def __init__(self, settings: ServiceSettings, metrics_folder: Path) -> None:
        """Loads everything.

        Raises:
            ChurnError: something the service needs is not there or not fit to be used.
        """
        self.settings = settings
        self.metrics_folder = metrics_folder
        self.keys = Keyring(settings.api_keys, settings.api_key_file)
        self.metrics = RequestMetrics(metrics_folder)
        self.pool = ModelPool(settings, metrics_folder, self.metrics)
        self.ledger = None if settings.ledger == NONE else PredictionLedger(settings.ledger)
        self.ledger_writer = LedgerWriter(
            self.ledger,
            self.metrics,
            limit=settings.ledger_queue,
            flush=settings.ledger_flush_seconds,
            shadow=lambda: self.pool.shadow,
        )
        self._shadowed = self.pool.shadow is not None
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
            ProblemError: it is no object.
        """
        served, prediction_id = self.choose_model(row)
        scorer = served.scorer
        values = scorer.values(row)
        score = scorer.score_values(values)
        return self.answer(row, served, prediction_id, values, score, source)

    def choose_model(self, row: Any) -> tuple[LoadedModel, str]:
        """The version that answers for a customer, and the prediction's id.

        Raises:
            ProblemError: the customer is no object, or has an id that is none.
        """
        if type(row) is not dict:
            raise not_an_object(row)
        prediction_id = self.new_id()
        pool = self.pool
        customer = row.get(pool.id_field)
        if customer is not None and not is_customer_id(customer):
            raise _not_an_id(pool.id_field, customer)
        if pool.canary is None:
            return pool.production, prediction_id
        return pool.choose(str(customer or prediction_id)), prediction_id

    def answer(
        self,
        row: Mapping[str, Any],
        served: LoadedModel,
        prediction_id: str,
        values: Values,
        score: Score,
        source: str,
    ) -> ScoreAnswer:
        """A score as it is answered; it is counted, and noted for the ledger."""
        probability, _, decision, version = score
        served.metrics.scored(probability, decision=decision)
        if self._noting:
            customer = row.get(self.pool.id_field)
            self.ledger_writer.note(
                Prediction(
                    datetime.now(UTC),
                    prediction_id,
                    None if customer is None else str(customer),
                    version,
                    served.role,
                    source,
                    probability,
                    decision,
                    input_hash(values[: len(served.scorer.row_scorer.names)]),
                ),
                row if self._shadowed else None,
            )
        return ScoreAnswer(prediction_id, probability, decision, served.bands(probability), version)

    def check_key(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Refuses whoever shows no key that is let in.

        Raises:
            ProblemError: 401.
        """
        shown = b""
        for name, value in headers:
            if name == b"x-api-key":
                shown = value
            elif name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
                shown = value[len(_BEARER) :].strip()
        if not shown:
            raise ProblemError(
                401, "A key is needed. Send it as 'X-API-Key' or as 'Authorization: Bearer'.",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip
        if not self.keys.is_valid(shown):
            raise ProblemError(
                401, "The key is not one that is let in. Send one whose digest the service lists.",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip

    def check_capacity(self) -> None:
        """Refuses a request beyond those this worker answers at once.

        Raises:
            ProblemError: 503, with Retry-After.
        """
        if len(self.running) > self.settings.max_concurrency:
            raise self.over_capacity()

    def over_capacity(self) -> ProblemError:
        """503, with Retry-After."""
        return ProblemError(
            503, "More requests than are answered at once. Ask again in a second.",
            headers={"retry-after": "1"},
        )  # fmt: skip

    def unready_reasons(self) -> dict[str, str]:
        """Why this worker should not be asked; empty where it should."""
        found = {}
        if self.draining:
            found["draining"] = "The worker is about to stop."
        return found

    def detail(self) -> Mapping[str, Any]:
        """What /readyz says of the versions and of what is wrong with them."""
        return {"versions": self.pool.roles(), "refused_bundle": self.pool.refused}


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The id that the caller gave the request, where it gave one fit to be repeated."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return None


def _not_an_id(field: str, value: object) -> ProblemError:
    allowed = f"a text of at most {LONGEST_ID} characters or a whole number, or left out"
    found = quote_value(value)
    return ProblemError(
        422, f"Field '{field}': {found} is no customer's id. Give {allowed}.",
        field=field, value=found, allowed=allowed,
    )  # fmt: skip


def not_an_object(value: object) -> ProblemError:
    """The refusal of a customer that is no JSON object."""
    kind = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    return ProblemError(
        422, f"The customer is {kind.get(type(value), 'a number')}, not an object. Send a JSON "
        "object with the customer's fields.",
        field="body", value=kind.get(type(value), "a number"), allowed="a JSON object",
    )  # fmt: skip
