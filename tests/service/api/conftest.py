"""A service that the tests which change nothing share: no ZenML is needed to serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.servers.churn_api import serving
from tests.servers.published import customers, published_store, store, trained
from tests.servers.redis_server import running_redis

__all__ = ["customers", "published_store", "running_redis", "store", "trained"]


@pytest.fixture(scope="session")
def service(published_store, tmp_path_factory):
    """One worker in development mode, shared by the tests that change nothing."""
    folder = tmp_path_factory.mktemp("service")
    copy = Path(shutil.copytree(published_store, folder / "store"))
    with serving(copy, folder, ledger_flush_seconds=0.05) as running:
        yield running


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client
