"""Bodies made to cost as much as can be: answered, and little is kept of them.

`python -m benchmarks.evidence_bodies` measures the same in milliseconds and in the process's memory.
"""

import asyncio
import tracemalloc

import pytest

from benchmarks.evidence_bodies import MANY, ONE, Silent
from benchmarks.hostile_bodies import BODIES, NDJSON
from service.api.application import ChurnService
from service.api.http_request import HttpRequest
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]
MEGABYTE = 2**20
ROUTES = [*((route, "") for route in (*ONE, *MANY)), (MANY[0], NDJSON)]


@pytest.fixture(scope="module")
def service(published_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worst")
    settings = ServiceSettings(store=str(published_store), ledger=f"sqlite:///{folder}/ledger.db")
    return ChurnService(WorkerState(settings, folder))


async def answered(service, route, content_type, body):
    """The status of the answer."""
    request = HttpRequest(
        "POST", route.encode(), [(b"content-type", content_type.encode())], version="1.1",
        keep_alive=True,
    )  # fmt: skip
    connection = Silent()
    service.path.admit(request)
    assert len(body) <= request.limit
    request.body = body
    service.path.answer(connection, request)
    await connection.done.wait()
    return connection.status


@pytest.mark.parametrize(("route", "content_type"), ROUTES)
@pytest.mark.parametrize("name", list(BODIES))
def test_the_worst_bodies_cost_a_few_times_their_size(service, name, route, content_type):
    body = BODIES[name](service.worker.settings.max_body_bytes if route in ONE else MEGABYTE // 4)
    tracemalloc.start()
    try:
        status = asyncio.run(answered(service, route, content_type, body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert status in (200, 400, 413, 422)
    assert peak < 4 * MEGABYTE, f"{peak / MEGABYTE:.1f} MB"
    assert service.worker.in_flight == 0
