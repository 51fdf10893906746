"""A canary answers its share of the customers, always the same ones."""

import pytest

from service.core import model_pool
from service.core.environment_settings import StoreSettings
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]


@pytest.mark.parametrize(("percent", "share"), [(0, 0), (25, 2_500), (100, 10_000)])
def test_a_canary_answers_its_share_and_no_customer_more(
    published_store, tmp_path, monkeypatch, percent, share
):
    monkeypatch.setattr(model_pool, "crc32", int)
    settings = StoreSettings(
        store=str(published_store), canary_version="2", canary_percent=percent,
        scratch_folder=str(tmp_path / "scratch"),
    )  # fmt: skip
    pool = ModelPool(settings, tmp_path, RequestMetrics(tmp_path))

    canary = [place for place in range(20_000) if pool.choose(str(place)).role == "canary"]

    assert canary == [*range(share), *range(10_000, 10_000 + share)]
