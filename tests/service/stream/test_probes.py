"""The probes of the worker: status and body."""

import httpx
import pytest

from churn.errors import InputError
from service.stream.probes import ProbeServer


@pytest.fixture
def answers():
    return {"alive": True, "ready": {"ready": True}}


@pytest.fixture
def server(answers):
    probes = ProbeServer(
        "127.0.0.1", 0, alive=lambda: answers["alive"], ready=lambda: answers["ready"],
        metrics=lambda: b"churn 1\n",
    )  # fmt: skip
    probes.start()
    yield probes
    probes.stop()


def get(server, path):
    answer = httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=30)
    return answer.status_code, answer.text


def test_a_worker_that_moves_is_alive_and_one_that_does_not_is_not(server, answers):
    assert get(server, "/livez") == (200, '{"status": "alive"}')
    answers["alive"] = False
    assert get(server, "/livez") == (503, '{"status": "stalled"}')


def test_ready_is_what_the_worker_says(server, answers):
    assert get(server, "/readyz?verbose") == (200, '{"ready": true}')
    answers["ready"] = {"ready": False, "reasons": {"kafka": "Zürich \ud800"}}
    assert get(server, "/readyz") == (
        503, '{"ready": false, "reasons": {"kafka": "Zürich \\ud800"}}',
    )  # fmt: skip


def test_metrics_and_nothing_else(server):
    assert get(server, "/metrics") == (200, "churn 1\n")
    assert get(server, "/other")[0] == 404


def test_a_port_that_is_taken_is_named(server):
    with pytest.raises(InputError, match=f"127.0.0.1:{server.port}: Address already in use"):
        ProbeServer("127.0.0.1", server.port, alive=bool, ready=dict, metrics=bytes)
