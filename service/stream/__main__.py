"""`python -m service.stream`: scores the customers of a Kafka topic with what the store has in production.

All settings come from the environment: see docs/streaming-worker.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from churn.errors import ChurnError
from churn.scratch import scratch_folder
from service.stream.stream_settings import StreamSettings, read_settings

if TYPE_CHECKING:
    from service.stream.worker import StreamWorker

_SECOND_SIGNAL_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the settings, works until a signal stops it, and returns the exit code."""
    # Before numpy and LightGBM are loaded: threads that wait for one row cost more than the row.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    argparse.ArgumentParser(prog="python -m service.stream", description=__doc__).parse_args(
        arguments
    )
    try:
        settings = read_settings(os.environ)
        settings.require_production("CHURN_STORE")
        with scratch_folder("stream", settings.scratch_folder) as metrics_folder:
            return _work(settings, metrics_folder)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0


def _work(settings: StreamSettings, metrics_folder: Path) -> int:
    from service.core.garbage_collector import spare_garbage_collector
    from service.core.library_logs import log_libraries
    from service.core.log import log
    from service.stream.kafka_clients import silence_client_log
    from service.stream.probes import ProbeServer
    from service.stream.session import PermanentError
    from service.stream.worker import StreamWorker

    log_libraries()
    silence_client_log()
    worker = StreamWorker(settings, metrics_folder)
    probes = ProbeServer(
        settings.host,
        settings.port,
        alive=worker.alive,
        ready=worker.ready,
        metrics=worker.metrics.render,
    )
    _stop_on_signal(worker)
    probes.start()
    spare_garbage_collector()
    log(
        "info", "listening", host=settings.host, port=probes.port, store=settings.store,
        version=worker.pool.production.version, group=settings.group,
        topics=[settings.input_topic, settings.output_topic, settings.dead_letter_topic],
    )  # fmt: skip
    threading.Thread(
        target=lambda: asyncio.run(worker.pool.follow_store()), name="store", daemon=True
    ).start()
    try:
        worker.run()
    except PermanentError as error:
        log("error", "ended", reason=str(error), **error.place)
        return error.exit_code
    finally:
        probes.stop()
    log("info", "stopped")
    return 0


def _stop_on_signal(worker: StreamWorker) -> None:
    first_at: list[float] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        """The first signal stops the worker after its batch; a later one ends the process."""
        worker.stop()
        now = time.monotonic()
        first_at.append(now)
        # Some senders send the first one twice, to the process and to its group.
        if now - first_at[0] > _SECOND_SIGNAL_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
