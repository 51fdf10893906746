"""A batch of messages, scored: what goes to the topics, the ledger and Redis, and nothing sent yet."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from churn.ledger.predictions import Prediction, input_hash
from churn.scoring.fields import FieldError
from service.core.loaded_model import LoadedModel
from service.core.log import log
from service.core.model_pool import ModelPool
from service.core.score_answer import ScoreAnswer
from service.stream.messages import Message, Rejection, parse_customer

SOURCE = "stream"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ScoredMessage:
    """One customer's score.

    Attributes:
        customer: the id.
        answer: the fields that POST /v1/score answers.
        at: when, in UTC.
    """

    customer: str
    answer: ScoreAnswer
    at: datetime

    @property
    def value(self) -> bytes:
        """As it is written to the topic."""
        return _encode(self.answer)


@dataclass(frozen=True)
class ScoredBatch:
    """What came of some messages, in their order.

    Attributes:
        scored: the scores.
        rejected: messages without one, and why.
        predictions: for the ledger, the shadow's too.
    """

    scored: list[ScoredMessage] = field(default_factory=list)
    rejected: list[tuple[Message, Rejection]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def score_messages(messages: Iterable[Message], pool: ModelPool, limit: int) -> ScoredBatch:
    """Scores messages; one that cannot be scored spoils no other.

    Args:
        messages: as they came.
        pool: the versions that score.
        limit: bytes of a message.
    """
    batch = ScoredBatch()
    # Of the values that the model sees; engineered ones stand behind. All versions share a contract.
    fields = len(pool.production.contract.features)
    for message in messages:
        try:
            _score(message, pool, limit, fields, batch)
        except Rejection as rejection:
            batch.rejected.append((message, rejection))
        except FieldError as error:
            batch.rejected.append((message, Rejection("field", str(error), field=error.field)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the messages behind it go on
            # Its type and no more: an exception's words may hold a customer's values.
            kind = type(error).__name__
            log("error", "message_failed", partition=message.partition, offset=message.offset,
                error=kind)  # fmt: skip
            sentence = f"The worker failed at this message ({kind}). Ask with partition and offset."
            batch.rejected.append((message, Rejection("failed", sentence)))
    return batch


def _score(message: Message, pool: ModelPool, limit: int, fields: int, batch: ScoredBatch) -> None:
    customer, row = parse_customer(message, pool.id_field, limit)
    served = pool.choose(customer)
    scorer = served.scorer
    values = scorer.values(row)
    score = scorer.score_values(values)
    at = datetime.fromtimestamp(time.time(), UTC)
    prediction_id = message.prediction_id
    probability, decision = score.probability, score.decision
    prediction = Prediction(
        predicted_at=at,
        prediction_id=prediction_id,
        customer=customer,
        version=served.version,
        role=served.role,
        source=SOURCE,
        probability=probability,
        decision=decision,
        input_hash=input_hash(values[:fields]),
    )
    beside = _shadowed(pool.shadow, row, prediction)
    band = served.bands(probability)
    # Only now, when nothing can fail any more: all of a message's parts are kept, or none.
    batch.predictions.append(prediction)
    if beside is not None:
        batch.predictions.append(beside)
    answer = ScoreAnswer(prediction_id, probability, decision, band, score.version)
    batch.scored.append(ScoredMessage(customer, answer, at))
    served.metrics.scored(probability, decision=decision)


def _shadowed(
    shadow: LoadedModel | None, row: dict[str, object], prediction: Prediction
) -> Prediction | None:
    """What the shadow would have said; None where there is none, or it cannot."""
    if shadow is None:
        return None
    try:
        score = shadow.scorer.score_one(row)
    except (FieldError, ValueError):
        return None
    shadow.metrics.scored(score.probability, decision=score.decision)
    return prediction._replace(
        version=shadow.version,
        role="shadow",
        probability=score.probability,
        decision=score.decision,
    )
