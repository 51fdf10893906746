"""Scores of a batch of messages: what goes to the topics, the ledger and Redis. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from churn.ledger.predictions import Prediction, input_hash
from churn.scoring.fields import FieldError
from service.core.ledger_writer import shadow_prediction
from service.core.log import log
from service.core.model_pool import ModelPool
from service.core.score_answer import ScoreAnswer
from service.stream.messages import Message, Rejection, parse_customer

SOURCE = "stream"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ScoredMessage:
    """One customer's score, the id, and when it was scored, in UTC.

    Attributes:
        message: what the customer was read from.
    """

    message: Message
    customer: str
    answer: ScoreAnswer
    at: datetime

    @property
    def value(self) -> bytes:
        """The message for the output topic."""
        return _encode(self.answer)


@dataclass(frozen=True)
class ScoredBatch:
    """Results of messages, in their order; the predictions are for the ledger, the shadow's too."""

    scored: list[ScoredMessage] = field(default_factory=list)
    rejected: list[tuple[Message, Rejection]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def score_messages(messages: Iterable[Message], pool: ModelPool, limit: int) -> ScoredBatch:
    """Scores messages of at most `limit` bytes; one that cannot be scored spoils no other."""
    batch = ScoredBatch()
    for message in messages:
        try:
            _score(message, pool, limit, batch)
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


def _score(message: Message, pool: ModelPool, limit: int, batch: ScoredBatch) -> None:
    customer, row = parse_customer(message, pool.id_field, limit)
    model = pool.choose(customer)
    scorer = model.scorer
    values = scorer.values(row)
    score = scorer.score_values(values)
    at = datetime.fromtimestamp(time.time(), UTC)
    prediction_id = message.prediction_id
    probability, decision = score.probability, score.decision
    prediction = Prediction(
        predicted_at=at,
        prediction_id=prediction_id,
        customer=customer,
        version=model.version,
        role=model.role,
        source=SOURCE,
        probability=probability,
        decision=decision,
        input_hash=input_hash(values[: len(scorer.row_scorer.names)]),
    )
    beside = shadow_prediction(pool.shadow, prediction, row) if pool.shadow is not None else None
    answer = ScoreAnswer(
        prediction_id, probability, decision, model.bands(probability), score.version
    )
    # Only now, when nothing can fail any more: all parts of a message are kept, or none.
    batch.predictions.append(prediction)
    if beside is not None:
        batch.predictions.append(beside)
    batch.scored.append(ScoredMessage(message, customer, answer, at))
    model.metrics.count_score(probability, decision=decision)
