"""The pool swaps in what is published, and tries again what failed, whatever failed and on whichever thread."""

import asyncio
import os
import shutil
import stat
import threading
import time
from contextlib import suppress

import pytest

from churn.errors import BundleError, InputError
from churn.scoring import store_follower
from churn.scoring.bundle import bundle_folder, publish, roll_back
from service.core import loaded_model, model_pool
from service.core.environment_settings import StoreSettings
from service.core.loaded_model import LoadedModel
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from tests.servers.published import published_store, store, trained
from tests.service.core.model_pools import events, figures, folder, pool, retrying, served

__all__ = ["events", "folder", "pool", "published_store", "retrying", "store", "trained"]


def check(pool):
    asyncio.run(pool._check_store())
    return pool.production.version


def test_a_published_version_is_swapped_in_by_a_thread_that_does_nothing_else(
    pool, store, monkeypatch
):
    threads = []
    loaded = loaded_model.load_version

    def load(*arguments):
        threads.append(threading.current_thread().name)
        return loaded(*arguments)

    monkeypatch.setattr(loaded_model, "load_version", load)
    publish(store, "2")

    assert check(pool) == "2"
    assert threads == ["bundle-loader"]


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"), EOFError(), MemoryError(), RecursionError(),
        KeyError("a"), RuntimeError("of a library"), InputError("It needs onnxruntime."),
    ],
    ids=lambda failure: type(failure).__name__,
)  # fmt: skip
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (loaded_model, "load_version"),
        (loaded_model, "ScoreMetrics"),
        (LoadedModel, "warm"),
    ],
    ids=["while it is loaded", "at its metrics", "while it is warmed"],
)
def test_a_swap_that_failed_is_shown_counted_once_and_tried_until_it_succeeds(
    pool, store, folder, events, monkeypatch, place, name, failure
):
    def fail(*_arguments, **_options):
        raise failure

    publish(store, "2")
    with monkeypatch.context() as broken:
        broken.setattr(place, name, fail)
        assert [check(pool) for _ in range(3)] == ["1", "1", "1"]

        reason = pool.readiness({})["refused_bundle"]
        assert len(reason.splitlines()) == 1
        assert type(failure).__name__ in reason or str(failure) in reason
        page = figures(folder)
        assert page["churn_bundle_refused"] == page["churn_bundle_refusals_total"] == 1
        assert served(folder) == {'churn_model_version{role="production",version="1"}'}
        assert [event for event, _ in events] == ["bundle_refused"]

    assert check(pool) == "2"
    assert pool.refused is None
    page = figures(folder)
    assert (page["churn_bundle_refused"], page["churn_bundle_swaps_total"]) == (0, 1)
    assert served(folder) == {'churn_model_version{role="production",version="2"}'}


def test_a_version_that_fails_only_on_the_answering_thread_is_refused_and_tried_again(
    pool, store, folder, monkeypatch
):
    warm = LoadedModel.warm

    def fail_here(model):
        if threading.current_thread().name != "bundle-loader":
            raise MemoryError
        warm(model)

    publish(store, "2")
    with monkeypatch.context() as broken:
        broken.setattr(LoadedModel, "warm", fail_here)
        assert [check(pool), check(pool)] == ["1", "1"]
        assert "MemoryError" in pool.refused
        assert served(folder) == {'churn_model_version{role="production",version="1"}'}

    assert check(pool) == "2"
    assert pool.refused is None


def test_a_store_that_does_not_answer_holds_up_no_end(pool, monkeypatch):
    called, answered = threading.Event(), threading.Event()

    def hang(_store):
        called.set()
        answered.wait(60)

    monkeypatch.setattr(store_follower, "read_pointer", hang)

    async def follow_and_end():
        following = asyncio.create_task(pool.follow_store())
        while not called.is_set():
            await asyncio.sleep(0.01)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    began = time.monotonic()
    asyncio.run(follow_and_end())
    seconds = time.monotonic() - began
    answered.set()

    assert seconds < 30  # asyncio's own executor would have waited for the answer


def test_a_metrics_folder_that_was_cleaned_away_costs_no_swap(pool, store, folder):
    shutil.rmtree(folder)
    publish(store, "2")

    assert check(pool) == "2"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_cleaned_away_and_put_back_are_loaded_without_a_new_publication(
    pool, store, tmp_path
):
    publish(store, "2")
    shutil.move(bundle_folder(store, "2"), tmp_path / "away")
    assert check(pool) == "1"
    shutil.move(tmp_path / "away", bundle_folder(store, "2"))

    assert check(pool) == "2"


def test_a_pipe_in_a_bundle_is_refused_and_the_checks_go_on(pool, store):
    publish(store, "2")
    golden = bundle_folder(store, "2") / "golden.json"
    content = golden.read_bytes()
    golden.unlink()
    os.mkfifo(golden)

    assert check(pool) == "1"
    assert "holds the pipe golden.json" in pool.refused
    golden.unlink()
    golden.write_bytes(content)
    assert check(pool) == "2"


def test_if_a_refused_version_is_rolled_back_nothing_is_refused(pool, store, folder):
    publish(store, "2")
    (bundle_folder(store, "2") / "golden.json").unlink()
    assert check(pool) == "1"
    assert pool.refused is not None

    roll_back(store)

    assert check(pool) == "1"
    assert pool.refused is None
    assert figures(folder)["churn_bundle_refused"] == 0


def test_a_canary_of_another_version_than_its_folder_is_refused(store, folder, tmp_path):
    shutil.rmtree(bundle_folder(store, "2"))
    shutil.copytree(bundle_folder(store, "1"), bundle_folder(store, "2"))
    settings = StoreSettings(
        store=str(store), canary_version="2", scratch_folder=str(tmp_path / "scratch")
    )

    with pytest.raises(BundleError, match="holds version 1, not 2"):
        ModelPool(settings, folder, RequestMetrics(folder))


@pytest.mark.parametrize("role", ["canary", "shadow"])
def test_a_version_beside_production_that_is_not_there_is_refused_by_the_name_of_its_setting(
    store, folder, tmp_path, role
):
    settings = StoreSettings(
        store=str(store),
        scratch_folder=str(tmp_path / "scratch"),
        **{f"{role}_version": "99"},
    )

    with pytest.raises(
        BundleError, match=rf"^CHURN_{role.upper()}_VERSION names version 99 .*holds no bundle"
    ):
        ModelPool(settings, folder, RequestMetrics(folder))


def test_a_remote_bundle_is_copied_into_the_scratch_folder_and_the_copy_removed(
    store, folder, tmp_path, monkeypatch
):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").put(f"{store}/", "/remote-store", recursive=True)
    copies = []
    read = loaded_model.load_version.__globals__["Bands"].read

    def note(bundle, threshold):
        copies.append(bundle)
        return read(bundle, threshold)

    monkeypatch.setattr(store_follower.Bands, "read", note)
    scratch = tmp_path / "scratch"
    settings = StoreSettings(store="memory://remote-store", scratch_folder=str(scratch))

    pool = ModelPool(settings, folder, RequestMetrics(folder))

    assert pool.production.version == "1"
    assert copies[0].is_relative_to(scratch)
    assert [path.name for path in scratch.iterdir()] == [".lock"]


def test_a_check_that_fails_in_any_way_does_not_end_the_watch(pool, events, monkeypatch):
    checked = []

    async def fail():
        checked.append(1)
        raise KeyError("a")

    async def watch():
        following = asyncio.create_task(pool.follow_store())
        while len(checked) < 2 and not following.done():
            await sleep(0)
        following.cancel()

    sleep = asyncio.sleep
    monkeypatch.setattr(model_pool.asyncio, "sleep", lambda _seconds: sleep(0))
    monkeypatch.setattr(pool, "_check_store", fail)
    asyncio.run(watch())

    assert len(checked) == 2
    assert events[0] == ("watch_failed", {"reason": "KeyError: 'a'"})
