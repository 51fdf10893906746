"""`make stream-demo`: a simulated stream, scored and watched live; q ends all of it.

Broker, worker and simulator are the demonstration's own, with topics, ledger and online store of their
own. The broker is noida-db, a small development server, unless --servers names a real one.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from kafka.admin import NewTopic  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    GroupIdNotFoundError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from churn.command import print_result
from churn.data.generator.scenarios import find_scenario
from churn.errors import InputError
from churn.home import VARIABLE, home
from churn.root import ROOT
from churn.scoring.current import CURRENT, local_stores, read_current
from churn.scoring.store_follower import load_version
from churn.scratch import scratch_folder
from service.stream.child_process import ChildProcess
from service.stream.development_broker import broker_command
from service.stream.kafka_clients import open_admin, silence_client_log
from service.stream.kafka_errors import describe_failure
from service.stream.simulate import BEGUN
from service.stream.simulator_settings import SimulatorSettings
from service.stream.stream_settings import StreamSettings, read_settings
from service.stream.stream_watcher import StreamWatcher
from service.stream.watch import require_seconds, show, stop_on_signal

_PARTITIONS = 3
_START_SECONDS = 120.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Shows the demonstration until somebody ends it, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m service.stream.demo", description=__doc__)
    add = parser.add_argument
    add(
        "--servers",
        metavar="LIST",
        help="real brokers, host:port (default: noida-db, started here)",
    )
    add("--rate", default="200", metavar="N", help="events a second (default: 200)")
    add("--scenario", default="price_rise", metavar="NAME", help="drift (default: price_rise)")
    add("--seconds", type=float, metavar="N", help="for how long (default: until q, or 60)")
    options = parser.parse_args(arguments)
    stop = stop_on_signal()
    silence_client_log()
    return print_result(lambda: demonstrate(options, os.environ, stop))


def demonstrate(
    options: argparse.Namespace, environment: Mapping[str, str], stop: threading.Event
) -> str:
    """Starts everything, shows the view, ends everything; the last figures on one line.

    Raises:
        ChurnError: something cannot be started, or ends by itself.
    """
    require_seconds(options.seconds)
    _ = SimulatorSettings.read({"rate": options.rate}), find_scenario(options.scenario)
    store = find_store(environment)
    contract = load_version(store, read_current(store)).scorer.contract.name
    with ExitStack() as closing:
        folder = closing.enter_context(scratch_folder("stream-demo"))
        servers = options.servers or closing.enter_context(_development_broker(folder))
        given = dict(environment) | _own_settings(folder, servers, store)
        settings = read_settings(given)
        closing.enter_context(own_topics(settings))
        _say("starting the worker")
        module = [sys.executable, "-m"]
        worker = ChildProcess("worker", [*module, "service.stream"], folder, given)
        closing.callback(worker.stop)
        _wait(lambda: '"connected"' in worker.log(), worker, stop)
        watcher = closing.enter_context(StreamWatcher(settings))
        _say("starting the simulator")
        command = [*module, "service.stream.simulate", "--rate", options.rate]
        command += ["--scenario", options.scenario]
        command += ["--contract", str(ROOT / "data" / "contracts" / f"{contract}.yaml")]
        simulator = ChildProcess("simulator", command, folder, given)
        closing.callback(simulator.stop)
        _wait(lambda: BEGUN in simulator.log(), simulator, stop)

        def check() -> None:
            worker.check()
            simulator.check()

        broker = options.servers or "noida-db, a development broker"
        title = f"Simulated customers, scored live ({broker})"
        return show(watcher, title, stop, options.seconds, check=check)


def find_store(environment: Mapping[str, str]) -> str:
    """The store of what is in production, else of a demonstration's model.

    Raises:
        InputError: there is neither, or several models are in production.
    """
    settings = read_settings(environment)
    production = home(environment.get(VARIABLE)) / "production"
    if "store" not in settings.model_fields_set and not local_stores(production):
        for pointer in sorted(production.glob(f"*/{CURRENT}")):
            return str(pointer.parent)
        raise InputError(
            f"Nothing is in production in {production}, and no demonstration's model is there. "
            "`make stream-demo` trains one."
        )
    settings.require_production("CHURN_STORE")
    return settings.store


def _own_settings(folder: Path, servers: str, store: str) -> dict[str, str]:
    """The worker's environment: nothing that it writes is anybody else's."""
    return {
        "CHURN_KAFKA_SERVERS": servers,
        "CHURN_INPUT_TOPIC": "churn-demo-customers",
        "CHURN_OUTPUT_TOPIC": "churn-demo-scores",
        "CHURN_DEAD_LETTER_TOPIC": "churn-demo-rejected",
        "CHURN_GROUP": f"churn-demo-{time.time():.0f}",
        "CHURN_STORE": str(Path(store).absolute()) if "://" not in store else store,
        "CHURN_LEDGER": f"sqlite:///{folder / 'ledger.db'}",
        "CHURN_ONLINE_STORE": f"sqlite:///{folder / 'online-store.db'}",
        "CHURN_REDIS": "none",
        "CHURN_KEEP_INPUTS": "False",
        "CHURN_PORT": "0",
    }


@contextmanager
def _development_broker(folder: Path) -> Iterator[str]:
    """Yields the address of a broker that runs as long."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    _say("starting noida-db, a development broker; --servers host:port uses a real one")
    broker = ChildProcess("broker", broker_command(port, folder / "broker"), folder, os.environ)
    try:
        _wait(lambda: _listens(port), broker, threading.Event())
        yield f"127.0.0.1:{port}"
    finally:
        broker.stop()


@contextmanager
def own_topics(settings: StreamSettings) -> Iterator[None]:
    """Makes the topics, and removes those that it has made, with the group; says what stays.

    Raises:
        ChurnError: the brokers cannot be used.
    """
    made: list[str] = []
    stay: list[str] = []
    try:
        admin = open_admin(settings)
        try:
            for name in settings.topics:
                try:
                    admin.create_topics([NewTopic(name, _PARTITIONS, -1)])
                    made.append(name)
                except TopicAlreadyExistsError:
                    stay.append(name)
            yield
        finally:
            try:
                answers = admin.delete_topics(made, raise_errors=False)["topics"]
                gone = {0, UnknownTopicOrPartitionError.errno}
                stay += [each["name"] for each in answers if each["error_code"] not in gone]
            except KafkaError:
                stay += made
            try:
                answer = admin.delete_groups([settings.group])[settings.group]
            except KafkaError as error:
                answer = type(error).__name__
            if stay:
                sys.stderr.write(f"These topics stay at the brokers: {', '.join(stay)}.\n")
            if answer not in {"OK", GroupIdNotFoundError.__name__}:
                sys.stderr.write(f"The group {settings.group} stays at the brokers: {answer}.\n")
            admin.close()
    except KafkaError as error:
        raise describe_failure("The topics cannot be made", error, settings) from None


def _wait(done: Callable[[], bool], process: ChildProcess, stop: threading.Event) -> None:
    """Waits until a process is ready.

    Raises:
        ChurnError: it ends, or takes too long.
    """
    until = time.monotonic() + _START_SECONDS
    while not done() and not stop.wait(0.1):
        process.check()
        if time.monotonic() > until:
            raise InputError(
                f"The {process.name} is not ready after {_START_SECONDS:.0f} seconds: "
                f"{process.last_line()}"
            )


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


if __name__ == "__main__":
    sys.exit(main())
