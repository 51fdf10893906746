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
from churn.scoring.encoder import Values
from churn.scoring.fields import FieldError
from churn.scoring.risk_bands import Band
from service.core.ledger_writer import shadow_prediction
from service.core.loaded_model import LoadedModel
from service.core.log import log
from service.core.score_answer import ScoreAnswer
from service.stream.messages import Message, Rejection, parse_event
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
class _ReadMessage:
    """A customer who can be scored: the id, the fields, and what `model` makes of them."""

    customer: str
    row: dict[str, Any]
    model: LoadedModel
    values: Values


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
    for message, read in [(each, _read(each, pool, limit, stored)) for each in messages]:
        try:
            _score(message, read, pool, batch, recorded)
        except Rejection as rejection:
            batch.rejected.append((message, rejection))
        except FieldError as error:
            batch.rejected.append((message, Rejection("field", str(error), field=error.field)))
        except Exception as error:  # noqa: BLE001 - the messages after it are scored whatever happens
            # Only its type: the message of an exception may hold a customer's values.
            kind = type(error).__name__
            log("error", "message_failed", partition=message.partition, offset=message.offset,
                error=kind)  # fmt: skip
            sentence = f"The worker failed at this message ({kind}). Ask with partition and offset."
            batch.rejected.append((message, Rejection("failed", sentence)))
    return batch


def _read(
    message: Message, pool: Versions, limit: int, stored: StoredFields | None
) -> _ReadMessage | Exception:
    """Returns the customer of a message, or why there is none that can be scored."""
    try:
        event = parse_event(message, pool.production.contract, limit)
        if stored is not None:
            completed = stored.complete(event, message)
        elif event.at is None:
            completed = CompletedCustomer(event.row)
        else:
            return Rejection(
                "update", "This worker cannot complete a partial update: it has no online store. Set "
                "CHURN_ONLINE_STORE, or send all fields.",
            )  # fmt: skip
        model = pool.choose(event.customer)
        values = model.scorer.values(completed.row)
        if stored is not None:
            stored.keep(completed)
        return _ReadMessage(event.customer, completed.row, model, values)
    except OnlineStoreError:
        raise
    except Exception as error:  # noqa: BLE001 - the other messages are scored whatever happens
        return error


def _score(
    message: Message,
    read: _ReadMessage | Exception,
    pool: Versions,
    batch: ScoredBatch,
    recorded: Mapping[str, Prediction],
) -> None:
    if isinstance(read, Exception):
        raise read
    customer, row, model, values = read.customer, read.row, read.model, read.values
    scorer = model.scorer
    score = scorer.score_values(values)
    prediction = Prediction(
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
    # A repeated message may meet a newer version, or newer fields; its first answer counts.
    prediction = recorded.get(prediction.prediction_id, prediction)
    beside = shadow_prediction(pool.shadow, prediction, row) if pool.shadow is not None else None
    probability, decision = prediction.probability, prediction.decision
    band = _band(pool, model, prediction)
    answer = ScoreAnswer(message.prediction_id, probability, decision, band, prediction.version)
    # Only now, when nothing can fail any more: all parts of a message are kept, or none.
    batch.predictions.append(prediction)
    if beside is not None:
        batch.predictions.append(beside)
    batch.scored.append(ScoredMessage(message, customer, answer, prediction.predicted_at, row))
    model.metrics.count_score(probability, decision=decision)


def _band(pool: Versions, model: LoadedModel, prediction: Prediction) -> Band:
    """The risk band by the version that has answered, or by `model` if that one is not loaded any more."""
    loaded = (model, pool.production, pool.shadow)
    by = next((each for each in loaded if each and each.version == prediction.version), model)
    band = by.bands(prediction.probability)
    if (band != "low") == prediction.decision:
        return band
    return "medium" if prediction.decision else "low"  # of another threshold
