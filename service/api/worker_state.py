"""State of one worker process, which all routes share: models, keys, ledger and metrics."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from churn.contract.values import is_customer_id
from churn.ledger.predictions import Prediction, PredictionLedger, input_hash
from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.outcome_writer import OutcomeWriter
from service.api.problems import ProblemError, invalid_customer_id, not_an_object
from service.api.service_settings import ServiceSettings
from service.core.environment_settings import NONE
from service.core.input_lines import input_lines
from service.core.keys import Keyring
from service.core.ledger_rotation import LedgerRotation
from service.core.ledger_writer import LedgerWriter
from service.core.loaded_model import LoadedModel
from service.core.model_pool import ModelPool
from service.core.score_answer import ScoreAnswer
from service.core.worker_metrics import RequestMetrics


class WorkerState:
    """State of one worker process.

    Attributes:
        settings: settings of the service.
        metrics_folder: folder of the metrics files of all workers.
        metrics: this worker's own.
        pool: the versions that answer.
        keys: the valid API keys.
        ledger_writer: writes predictions.
        outcome_writer: writes outcomes; None if nothing is kept.
        in_flight: requests that are being answered.
        draining: whether this worker is about to stop.
    """

    def __init__(self, settings: ServiceSettings, metrics_folder: Path) -> None:
        """Loads everything.

        Raises:
            ChurnError: something that the service needs is missing or cannot be used.
        """
        self.settings = settings
        self.metrics_folder = metrics_folder
        self.keys = Keyring(settings.api_keys, settings.api_key_file)
        self.metrics = RequestMetrics(metrics_folder)
        self.pool = ModelPool(settings, metrics_folder, self.metrics)
        self.outcome_writer: OutcomeWriter | None = None
        ledger, rotation = None, None
        if settings.ledger != NONE:
            most = settings.ledger_max_bytes
            ledger = PredictionLedger(settings.ledger, max_bytes=most)
            self.outcome_writer = OutcomeWriter(
                settings.ledger,
                requests=settings.max_outcome_requests,
                outcomes=settings.max_batch_rows,
                max_bytes=most,
            )
            months, outcomes = settings.ledger_retention_months, self.outcome_writer.ledger
            rotation = LedgerRotation(ledger, self.metrics, months, outcomes)
        served = self.pool.production
        inputs = input_lines(settings, served.contract, served.name, self.metrics, source="service")
        self.ledger_writer = LedgerWriter(
            ledger,
            self.metrics,
            limit=settings.ledger_queue,
            flush_seconds=settings.ledger_flush_seconds,
            shadow=lambda: self.pool.shadow,
            rotation=rotation,
            inputs=inputs,
        )
        self._keeps_inputs = inputs is not None
        self._keeps_predictions = ledger is not None or self._keeps_inputs
        self.in_flight = 0
        self.draining = False
        self._id_prefix = secrets.token_hex(8)
        self._ids = count(1)

    def new_id(self) -> str:
        """Returns an id that no other prediction or request has, in this process or any other."""
        return f"{self._id_prefix}-{next(self._ids):08x}"

    def score_customer(self, row: Any, source: str, prediction_id: str = "") -> ScoreAnswer:
        """Scores a customer and queues the prediction for the ledger.

        Args:
            row: the decoded JSON.
            source: path on which it came, for the ledger.
            prediction_id: id of the prediction; a new one if left out.

        Raises:
            FieldError: the contract does not allow the customer.
            ProblemError: it is no object.
        """
        prediction_id = prediction_id or self.new_id()
        model = self.choose_model(row, prediction_id)
        scorer = model.scorer
        values = scorer.values(row)
        score = scorer.score_values(values)
        return self.record_score(row, model, prediction_id, values, score, source)

    def choose_model(self, row: Any, prediction_id: str) -> LoadedModel:
        """Returns the version that answers for a customer.

        Raises:
            ProblemError: the customer is no object, or its id cannot be one.
        """
        if type(row) is not dict:
            raise not_an_object(row)
        pool = self.pool
        customer = row.get(pool.id_field)
        if customer is not None and not is_customer_id(customer):
            raise invalid_customer_id(pool.id_field, customer)
        if pool.canary is None:
            return pool.production
        return pool.choose(str(prediction_id if customer is None else customer))

    def record_score(
        self,
        row: Mapping[str, Any],
        model: LoadedModel,
        prediction_id: str,
        values: Values,
        score: Score,
        source: str,
    ) -> ScoreAnswer:
        """Counts a score, queues it for the ledger, and returns it as it is answered."""
        probability, _, decision, version = score
        model.metrics.count_score(probability, decision=decision)
        shadow = self.pool.shadow
        if self._keeps_predictions or shadow is not None:
            customer = row.get(self.pool.id_field)
            self.ledger_writer.enqueue(
                Prediction(
                    predicted_at=datetime.now(UTC),
                    prediction_id=prediction_id,
                    customer=None if customer is None else str(customer),
                    version=version,
                    role=model.role,
                    source=source,
                    probability=probability,
                    decision=decision,
                    input_hash=input_hash(values[: len(model.scorer.row_scorer.names)]),
                    model=model.name,
                ),
                row if shadow is not None or self._keeps_inputs else None,
            )
        return ScoreAnswer(prediction_id, probability, decision, model.bands(probability), version)

    def check_key(self, key: bytes | None) -> None:
        """Checks the API key of a request, which is empty if there is none and None if two differ.

        Raises:
            ProblemError: 401, there is no key, or it is not valid.
        """
        if not self.keys.required or (key and self.keys.is_valid(key)):
            return
        detail = "The key is not valid. Send one whose digest the service lists."
        if key is None:
            detail = "The request has two different keys. Send one of them."
        elif not key:
            detail = "A key is needed. Send it as 'X-API-Key' or as 'Authorization: Bearer'."
        raise ProblemError(401, detail, headers={"www-authenticate": "Bearer"})

    def free_capacity(self) -> int:
        """Returns how many more requests may be answered at once.

        Requests that wait until their outcomes are written have a limit of their own.
        """
        waiting = self.outcome_writer.waiting if self.outcome_writer is not None else 0
        return self.settings.max_concurrency - self.in_flight + waiting

    def over_capacity(self) -> ProblemError:
        """Returns the problem of a request beyond the limit: 503, with Retry-After."""
        return ProblemError(
            503, "More requests than are answered at once. Ask again in a second.",
            headers={"retry-after": "1"},
        )  # fmt: skip

    def unready_reasons(self) -> dict[str, str]:
        """Returns why this worker should get no requests; empty if it should."""
        return {"draining": "The worker is about to stop."} if self.draining else {}
