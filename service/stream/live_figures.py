"""What a live view shows of a stream: throughput, lag, latency, risk mix, and customers at high risk."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from churn.scoring.risk_bands import NAMES
from service.core.score_answer import ScoreAnswer
from service.stream.messages import Message

SHOWN = 5
"""Customers at high risk."""
HIGH = frozenset({"high", "very_high"})
_RECENT = 2000  # scores that latency and risk mix are taken from
_WAITING = 100_000  # messages whose other half has not been read yet
_RATE_SECONDS = 5.0

Half = TypeVar("Half")


@dataclass(frozen=True, slots=True)
class Scored:
    """A message of the output topic.

    Attributes:
        customer: the customer's id.
        answer: the score.
        timestamp: when it was written, in milliseconds.
    """

    customer: str
    answer: ScoreAnswer
    timestamp: int


@dataclass(frozen=True, slots=True)
class HighRisk:
    """A customer at high risk, with the message that was scored."""

    scored: Scored
    message: Message


@dataclass
class LiveFigures:
    """Figures of a stream, by the messages of its topics.

    Attributes:
        lag: messages that wait for a worker; None while nobody knows.
        scored: scores that were read.
        rejected: dead letters that were read.
        high: the latest customers at high risk, the newest first.
    """

    lag: int | None = None
    scored: int = 0
    rejected: int = 0
    high: deque[HighRisk] = field(default_factory=lambda: deque(maxlen=SHOWN))
    _latencies: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _bands: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _arrivals: deque[tuple[float, int]] = field(default_factory=deque)
    _messages: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    _answers: OrderedDict[str, Scored] = field(default_factory=OrderedDict)

    def add(self, messages: Iterable[Message], scores: Iterable[Scored], now: float) -> None:
        """Takes over what was read of input and output; `now` is a clock that is never set."""
        for message in messages:
            self._messages[message.prediction_id] = message
        count = 0
        for score in scores:
            count += 1
            self._bands.append(score.answer.risk_band)
            self._answers[score.answer.prediction_id] = score
        self.scored += count
        self._arrivals.append((now, count))
        while self._arrivals[0][0] < now - _RATE_SECONDS:
            self._arrivals.popleft()
        for identifier in [each for each in self._answers if each in self._messages]:
            self._pair(self._messages.pop(identifier), self._answers.pop(identifier))
        _forget(self._messages)
        _forget(self._answers)

    def _pair(self, message: Message, scored: Scored) -> None:
        self._latencies.append(scored.timestamp - message.timestamp)
        if scored.answer.risk_band in HIGH:
            self.high.appendleft(HighRisk(scored, message))

    @property
    def scores_a_second(self) -> float:
        """Of the last seconds."""
        if len(self._arrivals) < 2:  # noqa: PLR2004 - one moment is no time
            return 0.0
        (first, _), *rest = self._arrivals
        return sum(count for _, count in rest) / (rest[-1][0] - first)

    def latency(self, share: float) -> float | None:
        """Milliseconds from a message's time to its score's, which `share` of the last do not exceed."""
        return float(np.quantile(self._latencies, share)) if self._latencies else None

    def risk_mix(self) -> dict[str, float]:
        """Share of each risk band among the last scores."""
        counts = Counter(self._bands)
        return {name: counts[name] / max(1, len(self._bands)) for name in NAMES}


def _forget(waiting: OrderedDict[str, Half]) -> None:
    while len(waiting) > _WAITING:
        waiting.popitem(last=False)
