"""A service that the tests which change nothing share: no ZenML is needed to serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.servers.churn_api import serving
from tests.servers.published import customers, shelf, store, trained

__all__ = ["customers", "shelf", "store", "trained"]


@pytest.fixture(scope="session")
def service(shelf, tmp_path_factory):
    """One worker in development mode, shared by the tests that change nothing."""
    folder = tmp_path_factory.mktemp("service")
    copy = Path(shutil.copytree(shelf, folder / "store"))
    with serving(copy, folder, ledger_flush_seconds=0.05) as running:
        yield running


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client
