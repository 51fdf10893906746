"""Shadow and canary come and go with what the store names, and the page shows what is served now."""

import asyncio
import os
import threading
from contextlib import suppress

import pytest

from churn.errors import BundleError
from churn.scoring.beside import BESIDE, Beside, write_beside
from service.core.environment_settings import StoreSettings
from service.core.loaded_model import LoadedModel
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from tests.servers.published import published_store, store, trained
from tests.service.core.model_pools import events, figures, folder, pool, retrying, served

__all__ = ["events", "folder", "pool", "published_store", "retrying", "store", "trained"]


def beside(pool):
    asyncio.run(pool._check_beside())
    return tuple(each and each.version for each in (pool.shadow, pool.canary))


def test_shadow_and_canary_come_and_go_with_what_the_store_names(pool, store):
    assert beside(pool) == (None, None)

    write_beside(store, Beside(shadow="2"))
    assert beside(pool) == ("2", None)
    first = pool.shadow
    write_beside(store, Beside(shadow="2", canary="2", percent=50))
    assert beside(pool) == ("2", "2")
    assert pool.shadow is first
    assert pool.roles()["canary"] == {"version": "2", "percent": 50}
    chosen = {pool.choose(str(number)).role for number in range(50)}
    assert chosen == {"production", "canary"}

    write_beside(store, Beside())
    assert beside(pool) == (None, None)
    assert {pool.choose(str(number)).role for number in range(50)} == {"production"}


def test_what_is_beside_no_more_is_not_shown_as_served_and_keeps_its_counters(pool, store, folder):
    write_beside(store, Beside(shadow="2", canary="2", percent=50))
    beside(pool)
    for model in (pool.production, pool.shadow, pool.canary):
        model.metrics.count_score(0.3, decision=True)
    counted = {name: value for name, value in figures(folder).items() if "_model" not in name}
    production, shadow, canary = (
        f'churn_model_version{{role="{role}",version="{version}"}}'
        for role, version in (("production", "1"), ("shadow", "2"), ("canary", "2"))
    )
    assert served(folder) == {production, shadow, canary}

    write_beside(store, Beside(shadow="2"))
    assert beside(pool) == ("2", None)
    assert served(folder) == {production, shadow}
    write_beside(store, Beside(canary="1", percent=50))
    assert beside(pool) == (None, "1")
    assert served(folder) == {production, 'churn_model_version{role="canary",version="1"}'}
    write_beside(store, Beside())
    assert beside(pool) == (None, None)
    assert served(folder) == {production}

    assert counted.items() <= figures(folder).items()
    assert counted['churn_decisions_positive_total{role="canary",version="2"}'] == 1


def test_a_canary_is_served_by_the_workers_that_have_it(pool, store, folder, monkeypatch, tmp_path):
    with monkeypatch.context() as other:
        other.setattr(os, "getpid", os.getppid)
        settings = StoreSettings(store=str(store), scratch_folder=str(tmp_path / "scratch"))
        neighbour = ModelPool(settings, folder, RequestMetrics(folder))
        write_beside(store, Beside(canary="2", percent=50))
        beside(neighbour)
    beside(pool)
    canary = 'churn_model_version{role="canary",version="2"}'
    assert figures(folder)[canary] == 2

    write_beside(store, Beside())
    beside(pool)
    assert figures(folder)[canary] == 1
    assert figures(folder)['churn_model_version{role="production",version="1"}'] == 2
    beside(neighbour)
    assert figures(folder)[canary] == 0


@pytest.mark.parametrize("thread", ["bundle-loader", "MainThread"])
@pytest.mark.parametrize("failure", [BundleError("It is bad."), MemoryError()])
def test_a_good_shadow_beside_a_refused_canary_leaves_nothing_on_the_page(
    pool, store, folder, monkeypatch, thread, failure
):
    warm = LoadedModel.warm

    def fail(model):
        if model.role == "canary" and threading.current_thread().name == thread:
            raise failure
        warm(model)

    before = set(folder.iterdir())
    write_beside(store, Beside(shadow="2", canary="1", percent=50))
    with monkeypatch.context() as broken:
        broken.setattr(LoadedModel, "warm", fail)
        for _ in range(3):
            with suppress(type(failure)):
                beside(pool)
            assert (pool.shadow, pool.canary) == (None, None)
            assert served(folder) == {'churn_model_version{role="production",version="1"}'}
            assert set(folder.iterdir()) == before

    assert beside(pool) == ("2", "1")
    assert len(served(folder)) == 3


def test_a_refused_canary_costs_the_shadow_that_serves_nothing(pool, store, folder):
    write_beside(store, Beside(shadow="2"))
    beside(pool)
    before = served(folder)
    write_beside(store, Beside(shadow="2", canary="99"))

    assert beside(pool) == ("2", None)

    assert served(folder) == before
    pool.shadow.metrics.count_score(0.3, decision=True)
    assert figures(folder)['churn_decisions_positive_total{role="shadow",version="2"}'] == 1


@pytest.mark.parametrize("content", ["nothing", '{"shadow": "99"}', '{"percent": 200}'])
def test_what_cannot_be_put_beside_is_logged_and_production_answers(pool, store, events, content):
    (store / BESIDE).write_text(content)

    assert beside(pool) == (None, None)

    assert pool.production.version == "1"
    assert events[-1][0] == "beside_refused"


def test_the_environment_decides_where_it_names_a_shadow(store, folder, tmp_path):
    settings = StoreSettings(
        store=str(store), scratch_folder=str(tmp_path / "scratch"), shadow_version="2"
    )
    pool = ModelPool(settings, folder, RequestMetrics(folder))
    write_beside(store, Beside(canary="2", percent=50))

    assert beside(pool) == ("2", None)
