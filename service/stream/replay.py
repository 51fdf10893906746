"""`python -m service.stream.replay`: scores a range of the input topic again, with another version.

For backtests: the scores go to a topic of their own, and nowhere else unless that is asked for. Store,
brokers and topics are those of the worker's settings: see docs/streaming.md.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from kafka import KafkaConsumer  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from churn.errors import ChurnError, InputError, error_reason
from churn.scoring.current import bundle_folder
from churn.scoring.manifest import VERSION_PATTERN
from churn.scratch import scratch_folder
from service.core.loaded_model import LoadedModel, load_model
from service.stream.kafka_clients import find_partitions, open_reader, silence_client_log
from service.stream.kafka_errors import describe_failure
from service.stream.message_scoring import score_messages
from service.stream.replay_output import ReplayOutput
from service.stream.replay_progress import showing_progress
from service.stream.replay_range import (
    Ranges,
    find_emptied,
    find_ranges,
    read_edge,
    require_forward,
)
from service.stream.replayed_messages import OneVersion, ReplayedMessage, UpdatesInMemory
from service.stream.stream_settings import TOPIC_PATTERN, StreamSettings, read_settings

_POLL_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Replays what was asked for and returns the exit code."""
    # Before numpy and LightGBM are loaded: threads that wait for one row cost more than the row.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        said = replay(arguments, os.environ)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write(
            "Stopped by Ctrl-C. The scores that were written stay; the same command writes them "
            "again, under the same ids.\n"
        )
        return 130
    sys.stdout.write(f"{said}\n")
    return 0


def replay(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> str:
    """Scores the range that a command's arguments name, and returns what to say about it.

    Raises:
        ChurnError: an option is not possible, or store, brokers, ledger or Redis cannot be used.
    """
    options = _parser().parse_args(arguments)
    settings = read_settings(environment, kafka_servers=options.servers)
    _require_names(options, settings)
    first = read_edge("--from", options.first)
    last = None if options.last is None else read_edge("--to", options.last)
    require_forward(first, last)
    silence_client_log()
    with ExitStack() as closing:
        folder = closing.enter_context(scratch_folder("replay", settings.scratch_folder))
        model = load_model(settings, folder, 1, which=options.version, role="shadow")
        try:
            reader = open_reader(settings, auto_offset_reset="none")
            closing.callback(reader.close)
            partitions = find_partitions(reader, settings.input_topic)
            ranges = find_ranges(reader, partitions, first, last)
            if isinstance(first, datetime) and (emptied := find_emptied(reader, partitions)):
                _warn_of_emptied(settings.input_topic, emptied)
            output = ReplayOutput(
                settings, options.output_topic,
                ledger=options.ledger, redis=options.redis, closing=closing,
            )  # fmt: skip
            counts = _score_all(reader, ranges, model, output, options.online_store, settings)
        except KafkaError as error:
            raise describe_failure("The range cannot be replayed", error, settings) from None
    rejected = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()) if kind)
    return (
        f"{counts.total():,} messages of {settings.input_topic} read again: {counts['']:,} scores of "
        f"version {model.version} in {options.output_topic}, {counts.total() - counts['']:,} rejected"
        f"{f' ({rejected})' if rejected else ''}"
    )


def _warn_of_emptied(topic: str, partitions: Sequence[int]) -> None:
    numbers = ", ".join(map(str, partitions))
    sys.stderr.write(
        f"Warning: '{topic}' holds no message any more in partition {numbers}. Those of the range that "
        "it had, if any, are not replayed.\n"
    )


def _score_all(
    reader: KafkaConsumer,
    ranges: Ranges,
    model: LoadedModel,
    output: ReplayOutput,
    online_store: str | None,
    settings: StreamSettings,
) -> Counter[str]:
    """Scores the ranges; how many messages were scored, under no name, or rejected, by kind."""
    counts: Counter[str] = Counter()
    with ExitStack() as closing:
        stored = None
        if online_store is not None:
            stored = UpdatesInMemory(online_store, model.contract, 0.0)
            closing.callback(stored.close)
        progress = closing.enter_context(showing_progress(sum(map(len, ranges.values()))))
        for messages, done in _read(reader, ranges, model.version, settings.batch_messages):
            batch = score_messages(messages, OneVersion(model), settings.max_message_bytes, stored)
            output.write(batch)
            counts[""] += len(batch.scored)
            counts.update(rejection.kind for _, rejection in batch.rejected)
            progress(done)
    return counts


def _read(
    reader: KafkaConsumer, ranges: Ranges, version: str, most: int
) -> Iterator[tuple[list[ReplayedMessage], int]]:
    """Yields the messages of the ranges, in the order of each partition, and how far they are now.

    Raises:
        ChurnError: a message cannot be read, or none comes for half a minute.
        KafkaError: the brokers do not answer, or have deleted the next message meanwhile.
    """
    places = {partition: each.start for partition, each in ranges.items() if each}
    reader.assign(list(places))
    for partition, offset in places.items():
        reader.seek(partition, offset)
    moved_at = time.monotonic()
    while any(places[each] < ranges[each].stop for each in places):
        try:
            polled = reader.poll(timeout_ms=round(_POLL_SECONDS * 1000), max_records=most)
        except KafkaError:
            raise
        except Exception as error:  # noqa: BLE001 - of what decompresses a batch
            raise ChurnError(f"Messages cannot be read: {error_reason(error)}.") from None
        messages = [
            ReplayedMessage.of(record, version)
            for partition, records in polled.items()
            for record in records
            if record.offset in ranges[partition]
        ]
        now = {each: min(reader.position(each), ranges[each].stop) for each in places}
        if now != places:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > _LONGEST_PAUSE_SECONDS:
            raise ChurnError(
                f"No message came for {_LONGEST_PAUSE_SECONDS:.0f} seconds. See whether the brokers "
                "are well; the same command then writes the scores again, under the same ids."
            )
        reader.pause(*[each for each in places if now[each] == ranges[each].stop])
        places = now
        yield messages, sum(place - ranges[each].start for each, place in places.items())


def _require_names(options: argparse.Namespace, settings: StreamSettings) -> None:
    """Checks version and output topic before anything is loaded.

    Raises:
        InputError: the store has no such version, or the topic is one of the worker's.
    """
    for option, value, pattern in (
        ("--version", options.version, VERSION_PATTERN),
        ("--output-topic", options.output_topic, TOPIC_PATTERN),
    ):
        if re.fullmatch(pattern, value) is None:
            raise InputError(f"{option} is '{value}', which is no such name. It matches {pattern}.")
    if options.output_topic in settings.topics:
        raise InputError(
            f"--output-topic is '{options.output_topic}', which the worker uses. Name a topic of the "
            "replay's own."
        )
    settings.require_production("CHURN_STORE")
    if "://" not in settings.store:
        folder = bundle_folder(Path(settings.store), options.version)
        if not folder.is_dir():
            known = ", ".join(
                sorted(each.name for each in folder.parent.glob("*") if each.is_dir())
            )
            raise InputError(
                f"The store {settings.store} has no version '{options.version}'. It has {known}."
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.stream.replay", description=__doc__)
    add = parser.add_argument
    edge = "a time such as 2026-11-30T10:00:00Z, or an offset in each partition"
    add("--version", required=True, metavar="N", help="version of the store that scores")
    add("--from", required=True, dest="first", metavar="EDGE", help=f"{edge}; included")
    add("--to", dest="last", metavar="EDGE", help="the same, excluded (default: the end)")
    add("--output-topic", required=True, metavar="NAME", help="where the scores go")
    add("--online-store", metavar="ADDRESS",
        help="completes partial updates; read alone, so name one as it was at --from")  # fmt: skip
    add("--ledger", action="store_true", help="write to CHURN_LEDGER, too, as a shadow's")
    add("--redis", action="store_true", help="write the latest scores to CHURN_REDIS, too")
    add("--servers", metavar="LIST", help="brokers, host:port (default: CHURN_KAFKA_SERVERS)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
