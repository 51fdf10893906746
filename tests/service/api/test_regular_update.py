"""Twice a second a worker's gauges are set and slow callers leave."""

import asyncio
from contextlib import suppress

from service.api import application
from service.api.application import ChurnService
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from service.core.metrics_page import render_metrics
from tests.servers.churn_api import sample
from tests.service.api.test_http_connection import connected


def test_gauges_show_what_a_worker_is_at_and_slow_callers_are_ended(
    published_store, tmp_path, monkeypatch
):
    settings = ServiceSettings(store=str(published_store), ledger=f"sqlite:///{tmp_path}/ledger.db")
    state = WorkerState(settings, tmp_path)
    state.in_flight, state.draining, state.outcome_writer.waiting = 3, True, 2
    slept = []
    sleep = asyncio.sleep

    async def pause(seconds):
        slept.append(seconds)
        await sleep(0)

    async def run():
        path = ChurnService(state).path
        connection, wire = connected(state, path)
        connection.waiting_since -= 60
        task = asyncio.create_task(application._update_regularly(state, path))
        while len(slept) < 2:
            await sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return wire.closed

    monkeypatch.setattr(application.asyncio, "sleep", pause)
    assert asyncio.run(run())

    page = sample(render_metrics(tmp_path).decode())
    assert page["churn_in_flight"] == 3
    assert page["churn_draining"] == 1
    assert page["churn_outcomes_waiting"] == 2
    assert set(slept) == {0.5}
