"""Reads the topics of a stream that is being scored, for a live view of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]

from service.core.score_answer import ScoreAnswer
from service.stream.kafka_clients import find_partitions, message_of, open_reader
from service.stream.kafka_errors import describe_failure
from service.stream.live_figures import LiveFigures, Scored
from service.stream.shown_reasons import ShownReasons
from service.stream.stream_settings import StreamSettings

_POLL_MILLISECONDS = 200
_MOST_RECORDS = 5000
_LAG_SECONDS = 1.0
_OFFSETS_SECONDS = 2
_decode = msgspec.json.Decoder(ScoreAnswer).decode


class StreamWatcher:
    """Reads the topics of a stream.

    Attributes:
        figures: what they say.
        reasons: finds reasons of scores.
    """

    def __init__(self, settings: StreamSettings) -> None:
        """Connects, and begins at the end of each topic.

        Raises:
            InputError: a topic does not exist.
            ChurnError: the brokers cannot be used.
        """
        self.figures, self.reasons = LiveFigures(), ShownReasons(settings)
        self._settings = settings
        self._lag_at = 0.0
        with self._describing():
            self._reader: Any = open_reader(settings, group_id=settings.group)
            found = [find_partitions(self._reader, topic) for topic in settings.topics]
            self._inputs = found[0]
            self._reader.assign([each for partitions in found for each in partitions])
            self._reader.seek_to_end()
            for partition in self._reader.assignment():
                self._reader.position(partition)

    def __enter__(self) -> StreamWatcher:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(KafkaError):
            self._reader.close(autocommit=False)

    def read(self) -> None:
        """Takes over what the topics have by now.

        Raises:
            ChurnError: the brokers cannot be used.
        """
        with self._describing():
            polled = self._reader.poll(_POLL_MILLISECONDS, max_records=_MOST_RECORDS)
            self._take_over([record for records in polled.values() for record in records])
            if time.monotonic() - self._lag_at > _LAG_SECONDS:
                self._lag_at = time.monotonic()
                self.figures.lag = self._lag()

    def _take_over(self, records: Sequence[Any]) -> None:
        settings = self._settings
        self.figures.add(
            [message_of(each) for each in records if each.topic == settings.input_topic],
            list(_scores([each for each in records if each.topic == settings.output_topic])),
            time.monotonic(),
        )
        self.figures.rejected += sum(each.topic == settings.dead_letter_topic for each in records)

    def _lag(self) -> int | None:
        """Messages after the group's commits; None where the brokers do not say in time."""
        limit = _OFFSETS_SECONDS * 1000
        try:
            # The ends come last: what was committed meanwhile would be after them.
            done = {each: self._reader.committed(each, timeout_ms=limit) for each in self._inputs}
            starts = self._reader.beginning_offsets(self._inputs)
            ends = self._reader.end_offsets(self._inputs, timeout_ms=limit)
        except KafkaTimeoutError:
            return None
        return sum(int(ends[each] - (done[each] or starts[each])) for each in self._inputs)

    @contextmanager
    def _describing(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as error:
            raise describe_failure("The stream cannot be watched", error, self._settings) from None


def _scores(records: Sequence[Any]) -> Iterator[Scored]:
    for record in records:
        with suppress(msgspec.DecodeError):  # somebody else's message
            yield Scored(
                (record.key or b"").decode("utf-8", "replace"),
                _decode(record.value or b""),
                record.timestamp,
            )
