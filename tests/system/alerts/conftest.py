"""A broker, models and Debian's Prometheus for the tests of alerts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.servers.messaging import Broker
from tests.servers.process import missing
from tests.servers.prometheus import Prometheus
from tests.servers.published import customers, published_store, store, trained

# `worker_process` is the stream's tests' own.
sys.path.insert(0, str(Path(__file__).parents[2] / "service" / "stream"))

__all__ = ["customers", "published_store", "store", "trained"]


@pytest.fixture
def broker(tmp_path):
    running = Broker(tmp_path / "broker")
    (tmp_path / "broker").mkdir()
    running.start()
    running.topics("customers", "scores", "rejected")
    yield running
    running.stop()


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus that scrapes the servers it is given."""
    if why := missing("Prometheus"):
        pytest.skip(why)
    started = []

    def start(**ports):
        started.append(Prometheus(tmp_path / f"prometheus-{len(started)}", **ports))
        return started[-1]

    yield start
    for each in started:
        each.stop()
