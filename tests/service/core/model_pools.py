"""Fixtures of the model pool: one that follows a store of the test's own, and what its page shows."""

import pytest

from churn.scoring import store_follower
from service.core import model_pool
from service.core.environment_settings import StoreSettings
from service.core.metrics_page import render_metrics
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from tests.servers.churn_api import sample


@pytest.fixture(autouse=True)
def retrying(monkeypatch):
    monkeypatch.setattr(store_follower, "RETRY_SECONDS", 0.0)


@pytest.fixture
def events(monkeypatch):
    """What the pool logs."""
    logged = []
    monkeypatch.setattr(model_pool, "log", lambda _, event, **facts: logged.append((event, facts)))
    return logged


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "metrics"


@pytest.fixture
def pool(store, folder, events, tmp_path):
    settings = StoreSettings(store=str(store), scratch_folder=str(tmp_path / "scratch"))
    return ModelPool(settings, folder, RequestMetrics(folder))


def figures(folder):
    return sample(render_metrics(folder).decode())


def served(folder):
    """The versions that the metrics page says are served."""
    return {name for name, value in figures(folder).items() if "_model_version" in name and value}
