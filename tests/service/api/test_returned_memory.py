"""What large bodies took is given back to the system once none is left, and not before."""

from types import SimpleNamespace

import pytest

from service.api import request_path
from service.api.http_request import HttpRequest
from service.api.problems import ProblemError
from service.api.request_path import RequestPath
from service.api.service_settings import read_settings
from service.core import free_memory


@pytest.fixture
def returned(monkeypatch):
    """How often memory was given back."""
    calls = []
    monkeypatch.setattr(request_path, "return_free_memory", lambda: calls.append(1))
    return calls


@pytest.fixture
def path():
    settings = read_settings({"CHURN_MAX_BODY_BYTES": "1024", "CHURN_MAX_BATCH_BYTES": "4096"})
    full = ProblemError(503, "Full.")
    metrics = SimpleNamespace(count_response=lambda *_: None)
    state = SimpleNamespace(settings=settings, over_capacity=lambda: full, metrics=metrics)
    return RequestPath(state, None)


def request():
    return HttpRequest("POST", b"/v1/score/batch", [], version="1.1", keep_alive=True)


def test_memory_is_given_back_once_after_the_last_large_body(path, returned):
    one, other = request(), request()
    path.reserve(one, 4096)
    path.reserve(other, 1025)
    path.return_memory()
    assert not returned
    path.account(one, 200)
    path.return_memory()
    assert not returned  # the other is still there
    path.account(other, 200)
    path.return_memory()
    path.return_memory()
    assert len(returned) == 1


def test_small_bodies_give_nothing_back(path, returned):
    path.reserve(request(), 1024)
    path.return_memory()
    assert not returned


@pytest.mark.parametrize("library", [OSError("no libc"), SimpleNamespace()])
def test_a_c_library_without_trim_is_no_error(monkeypatch, library):
    def load(_name):
        if isinstance(library, OSError):
            raise library
        return library

    monkeypatch.setattr(free_memory.ctypes, "CDLL", load)
    free_memory.return_free_memory()
