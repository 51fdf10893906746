"""`python -m service.stream.simulate`: sends the events of made-up customers to the worker's input topic.

Brokers, topic and online store are those of the worker's settings: see docs/streaming.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kafka.errors import KafkaError  # type: ignore[import-untyped]

from churn.command import print_result
from churn.contract import load_contract
from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from churn.root import ROOT
from service.core.environment_settings import NONE
from service.stream.kafka_clients import (
    find_partitions,
    open_producer,
    open_reader,
    silence_client_log,
)
from service.stream.kafka_errors import describe_failure
from service.stream.replay_range import read_time
from service.stream.simulated_customers import SimulatedCustomers
from service.stream.simulated_events import KINDS, SimulatedEvent, simulate_events
from service.stream.simulator_settings import UPDATES, SimulatorSettings
from service.stream.stream_settings import StreamSettings, read_settings

_CONTRACT = ROOT / "data" / "contracts" / "telco.yaml"
BEGUN = "sending events to"
"""What the line on stderr begins with that says that the customers are ready."""
_STORED_BEFORE = timedelta(days=1)
_FLUSH_SECONDS = 30
_EPOCH_YEAR = 1970


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends what was asked for until it is done or stopped, and returns the exit code."""
    options = {
        name: value
        for name, value in vars(_parser().parse_args(arguments)).items()
        if value is not None
    }
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return print_result(lambda: simulate(options, os.environ, stop))


def simulate(
    given: Mapping[str, Any], environment: Mapping[str, str], stop: threading.Event
) -> str:
    """Sends the events until they end or `stop` is set, and returns what to say about them.

    Raises:
        ChurnError: an option is not possible, or the brokers or the online store cannot be used.
    """
    options = {"contract": _CONTRACT, **given}
    stream = read_settings(environment, kafka_servers=options.pop("servers", None))
    contract, start = load_contract(options.pop("contract")), datetime.now(UTC)
    if "start" in options:
        start = _read_start(options.pop("start"))
    address = stream.online_store.get_secret_value()
    if address == NONE:  # whole rows alone: no update would find its customer
        options = dict.fromkeys(UPDATES, 0) | options
    settings = SimulatorSettings.read(options)
    silence_client_log()
    customers = SimulatedCustomers(contract, settings.generator)
    began = time.monotonic()
    try:
        sender = EventSender(stream)
        if address != NONE:
            store_customers(customers, address, start)
        sys.stderr.write(f"{BEGUN} {stream.input_topic}\n")
        sender.send(simulate_events(customers, settings, start), stop)
    except KafkaError as error:
        raise describe_failure("The events cannot be sent", error, stream) from None
    return _summary(sender.sent, time.monotonic() - began, stream.input_topic)


def _read_start(text: str) -> datetime:
    """Returns the time of the first event; others lie before and after it.

    Raises:
        InputError: it is none, or too far away.
    """
    start = read_time("--start", text)
    if _EPOCH_YEAR <= start.year < MAXYEAR:
        return start
    raise InputError(f"--start is '{text}'. Give a time from {_EPOCH_YEAR} to {MAXYEAR - 1}.")


class EventSender:
    """Sends events when they are due.

    Attributes:
        sent: how many the brokers have acknowledged, by kind.
    """

    def __init__(self, settings: StreamSettings) -> None:
        """Connects.

        Raises:
            KafkaError: no broker answers, or they refuse this program.
            InputError: the topic does not exist.
        """
        self.sent: Counter[str] = Counter()
        self._topic = settings.input_topic
        self._failure: KafkaError | None = None
        reader = open_reader(settings)
        try:
            find_partitions(reader, self._topic)
        finally:
            reader.close()
        self._producer = open_producer(settings)

    def send(self, events: Iterable[SimulatedEvent], stop: threading.Event) -> None:
        """Sends the events, until they end or `stop` is set, and returns when brokers have them.

        Raises:
            KafkaError: they do not take one.
        """
        began = time.monotonic()
        try:
            for event in events:
                wait = began + event.due - time.monotonic()
                if stop.wait(wait) if wait > 0 else stop.is_set():
                    break
                if self._failure is not None:
                    raise self._failure
                future = self._producer.send(
                    self._topic, key=event.key, value=event.value, headers=list(event.headers)
                )
                future.add_callback(self._count, event.kind)
                future.add_errback(self._fail)
            self._producer.flush(_FLUSH_SECONDS)
            if self._failure is not None:
                raise self._failure
        finally:
            self._producer.close(0)

    def _count(self, kind: str, _written: Any) -> None:
        self.sent[kind] += 1

    def _fail(self, error: KafkaError) -> None:
        self._failure = error


def store_customers(customers: SimulatedCustomers, address: str, start: datetime) -> None:
    """Writes the customers to the online store as of a day before the start, where updates find them.

    Raises:
        OnlineStoreError: the store cannot be used.
    """
    name, at = customers.contract.id.name, start - _STORED_BEFORE
    rows = zip(customers.rows, customers.readable, strict=True)
    with open_online_store(customers.contract, address) as store:
        store.write(
            CustomerUpdate(row[name], at, {key: row[key] for key in row if key != name})
            for row, readable in rows
            if readable
        )


def _summary(sent: Counter[str], seconds: float, topic: str) -> str:
    total = sent.total()
    lines = [f"{total} events to {topic} in {seconds:.1f} s, {total / seconds:.0f} a second"]
    return "\n".join([*lines, *(f"  {kind:14}{sent[kind]:>8}" for kind in KINDS)])


def _parser() -> argparse.ArgumentParser:
    known = SimulatorSettings.model_fields
    parser = argparse.ArgumentParser(prog="python -m service.stream.simulate", description=__doc__)

    def add(name: str, meaning: str, metavar: str = "SHARE") -> None:
        default = known[name].default if name in known else None
        shown = f" (default: {default})" if default not in {None, ""} else ""
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=meaning + shown)

    add("rate", "events a second, on average", "N")
    add("events", "how many events (default: no end)", "N")
    add("seconds", "for how long (default: no end)", "N")
    add("customers", "so many different customers", "N")
    add("seed", "equal seeds send equal events", "N")
    add("scenario", "a drift of docs/generator.md (default: none)", "NAME")
    add("partial", "updates that carry only what changed; 0 without CHURN_ONLINE_STORE")
    add("late", "updates that happened minutes or hours before; 0 without CHURN_ONLINE_STORE")
    add("out_of_order", "updates from before the last one; 0 without CHURN_ONLINE_STORE")
    add("duplicated", "events that were sent before")
    add("poison", "messages that nobody can score")
    add("bursts", "share of each second's events that come at one moment")
    add("servers", "brokers, host:port (default: CHURN_KAFKA_SERVERS)", "LIST")
    add("start", "time of the first event (default: now)", "TIME")
    parser.add_argument("--contract", type=Path, metavar="FILE", help="default: telco's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
