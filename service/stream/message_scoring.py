"""Scores of a batch of messages: what goes to the topics, the ledger and Redis. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from churn.feature_store.online.online_store import OnlineStoreError
from churn.ledger.prediction import Prediction, input_hash
from churn.scoring.fields import FieldError
from churn.scoring.risk_bands import Band
from service.core.ledger_writer import shadow_prediction
from service.core.loaded_model import LoadedModel
from service.core.log import log
from service.core.score_answer import ScoreAnswer
from service.stream.messages import CustomerEvent, Message, Rejection, parse_event
from service.stream.stored_fields import CompletedCustomer, StoredFields

SOURCE = "stream"
_encode = msgspec.json.Encoder().encode


class Versions(Protocol):
    """The versions that score messages: a worker's pool, or the one version of a replay."""

    @property
    def production(self) -> LoadedModel: ...  # noqa: D102
    @property
    def shadow(self) -> LoadedModel | None: ...  # noqa: D102
    def choose(self, key: str) -> LoadedModel: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ScoredMessage:
    """One customer's score, the id, and when it was scored, in UTC.

    Attributes:
        message: what the customer was read from.
        row: the customer's fields.
    """

    message: Message
    customer: str
    answer: ScoreAnswer
    at: datetime
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> bytes:
        """The message for the output topic."""
        return _encode(self.answer)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A message's score, what the ledger keeps of it, and the model that gave it."""

    scored: ScoredMessage
    prediction: Prediction
    model: LoadedModel


@dataclass(frozen=True)
class ScoredBatch:
    """Results of messages, in their order; the predictions are for the ledger, the shadow's too."""

    scored: list[ScoredMessage] = field(default_factory=list)
    rejected: list[tuple[Message, Rejection]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def score_messages(
    messages: Iterable[Message],
    pool: Versions,
    limit: int,
    stored: StoredFields | None = None,
    recorded: Mapping[str, Prediction] = MappingProxyType({}),
) -> ScoredBatch:
    """Scores messages of at most `limit` bytes; one that cannot be scored spoils no other.

    Args:
        messages: in their order.
        pool: the versions that answer.
        limit: most bytes of a message.
        stored: what the messages leave out; None where each must have all fields.
        recorded: answers that the ledger has of these messages, by their id; they stay.

    Raises:
        OnlineStoreError: the online store cannot be read; nothing has been scored or counted.
    """
    batch = ScoredBatch()
    if stored is not None:
        stored.begin()
    # Nothing is counted before all are answered: if the online store fails, the batch begins anew.
    answers = [(each, _answer(each, pool, limit, stored, recorded)) for each in messages]
    for message, answer in answers:
        if isinstance(answer, Exception):
            batch.rejected.append((message, _rejection(message, answer)))
            continue
        scored, prediction = answer.scored, answer.prediction
        batch.scored.append(scored)
        batch.predictions.append(prediction)
        if pool.shadow is not None:
            beside = shadow_prediction(pool.shadow, prediction, scored.row)
            if beside is not None:
                batch.predictions.append(beside)
        answer.model.metrics.count_score(prediction.probability, decision=prediction.decision)
    return batch


def _answer(
    message: Message,
    pool: Versions,
    limit: int,
    stored: StoredFields | None,
    recorded: Mapping[str, Prediction],
) -> _Answer | Exception:
    """Returns the answer to a message, or why there is none."""
    try:
        event = parse_event(message, pool.production.contract, limit)
        completed = _complete(event, message, stored)
        row, model = completed.row, pool.choose(event.customer)
        prediction = _predict(message, event.customer, row, model)
        # A repeated message may meet a newer version, or newer fields; its first answer counts.
        prediction = recorded.get(prediction.prediction_id, prediction)
        answer = ScoreAnswer(
            prediction.prediction_id, prediction.probability, prediction.decision,
            _band(pool, model, prediction), prediction.version,
        )  # fmt: skip
        scored = ScoredMessage(message, event.customer, answer, prediction.predicted_at, row)
        # Only now, when nothing can fail any more: what is rejected changes nothing.
        if stored is not None:
            stored.keep(completed)
        return _Answer(scored, prediction, model)
    except OnlineStoreError:
        raise
    except Exception as error:  # noqa: BLE001 - the other messages are scored whatever happens
        return error


def _complete(
    event: CustomerEvent, message: Message, stored: StoredFields | None
) -> CompletedCustomer:
    if stored is not None:
        return stored.complete(event, message)
    if event.at is None:
        return CompletedCustomer(event.row)
    raise Rejection(
        "update", "This worker cannot complete a partial update: it has no online store. Set "
        "CHURN_ONLINE_STORE, or send all fields.",
    )  # fmt: skip


def _predict(
    message: Message, customer: str, row: dict[str, Any], model: LoadedModel
) -> Prediction:
    scorer = model.scorer
    values = scorer.values(row)
    score = scorer.score_values(values)
    return Prediction(
        predicted_at=datetime.fromtimestamp(time.time(), UTC),
        prediction_id=message.prediction_id,
        customer=customer,
        version=model.version,
        role=model.role,
        source=SOURCE,
        probability=score.probability,
        decision=score.decision,
        input_hash=input_hash(values[: len(scorer.row_scorer.names)]),
        model=model.name,
    )


def _rejection(message: Message, error: Exception) -> Rejection:
    """Returns why a message is rejected; what is the worker's own fault is logged."""
    if isinstance(error, Rejection):
        return error
    if isinstance(error, FieldError):
        return Rejection("field", str(error), field=error.field)
    # Only its type: the message of an exception may hold a customer's values.
    kind = type(error).__name__
    log("error", "message_failed", partition=message.partition, offset=message.offset,
        error=kind)  # fmt: skip
    sentence = f"The worker failed at this message ({kind}). Ask with partition and offset."
    return Rejection("failed", sentence)


def _band(pool: Versions, model: LoadedModel, prediction: Prediction) -> Band:
    """The risk band by the version that has answered, or by `model` if that one is not loaded any more."""
    loaded = (model, pool.production, pool.shadow)
    by = next((each for each in loaded if each and each.version == prediction.version), model)
    band = by.bands(prediction.probability)
    if (band != "low") == prediction.decision:
        return band
    return "medium" if prediction.decision else "low"  # of another threshold
