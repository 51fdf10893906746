"""Connecting to a stack's own ZenML server: checked over real HTTP before anything else happens."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from unittest import mock

import pytest

from churn.errors import ChurnError, InputError
from stacks.server import connect, require_server
from stacks.spec import ExistingComponent, Server, StackSpec


class Answers(BaseHTTPRequestHandler):
    """What a ZenML server says of itself, and a login that knows one key."""

    version = metadata.version("zenml")

    def do_GET(self):
        self.answer(200, {"version": self.version})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(200 if body == "password=good" else 401, {})

    def answer(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def serving(version):
    handler = type("Handler", (Answers,), {"version": version})
    return HTTPServer(("127.0.0.1", 0), handler)


@pytest.fixture(params=[metadata.version("zenml")])
def url(request):
    server = serving(request.param)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stack(url: str, key: str = "good") -> StackSpec:
    return StackSpec(
        name="cloud",
        description="A stack.",
        server=Server(url=url, api_key=key),
        components={"orchestrator": ExistingComponent(use="default")},
    )


@pytest.fixture(autouse=True)
def own_environment():
    with mock.patch.dict(os.environ):
        yield


def test_a_server_that_accepts_the_key_returns_its_version(url):
    assert require_server("cloud", Server(url=url, api_key="good")) == metadata.version("zenml")


def test_a_refused_key_is_the_users_to_mend_and_is_not_repeated(url):
    with pytest.raises(InputError) as refused:
        require_server("cloud", Server(url=url, api_key="stale-key"))

    assert "refuses the API key (401)" in str(refused.value)
    assert "stale-key" not in str(refused.value)


@pytest.mark.parametrize("url", ["0.42.0"], indirect=True)
def test_a_server_of_another_version_is_refused(url):
    with pytest.raises(ChurnError, match=r"runs ZenML 0\.42\.0, and this project"):
        require_server("cloud", Server(url=url, api_key="good"))


def test_a_server_that_is_down_is_one_sentence():
    with pytest.raises(ChurnError) as failed:
        require_server("cloud", Server(url=f"http://127.0.0.1:{closed_port()}", api_key="good"))

    assert "does not answer as one" in str(failed.value)
    assert "start it, or correct the address" in str(failed.value)
    assert "\n" not in str(failed.value)


def test_an_invalid_address_is_reported():
    with pytest.raises(InputError, match="not an http:// or https:// address"):
        require_server("cloud", Server(url="zenml.example.com", api_key="good"))


def test_nothing_is_set_for_this_process_when_the_server_does_not_answer(tmp_path):
    before = dict(os.environ)

    with mock.patch.dict("sys.modules"):
        sys.modules.pop("zenml.client", None)
        with pytest.raises(ChurnError, match="does not answer"):
            connect(stack(f"http://127.0.0.1:{closed_port()}"), tmp_path)

    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []


def test_a_connection_is_this_processs_alone_and_has_a_configuration_of_its_own(url, tmp_path):
    with mock.patch.dict("sys.modules"):
        sys.modules.pop("zenml.client", None)
        connect(stack(url), tmp_path)

    assert os.environ["ZENML_STORE_URL"] == url
    assert os.environ["ZENML_CONFIG_PATH"] == str(tmp_path / "zenml" / "cloud")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))  # the key is written nowhere


def test_a_process_that_talked_to_another_zenml_is_not_redirected(url, tmp_path):
    import zenml.client  # noqa: F401 - having imported it is the point

    with pytest.raises(ChurnError, match="in a process of its own"):
        connect(stack(url), tmp_path)


def test_a_stack_without_a_server_changes_nothing(tmp_path):
    before = dict(os.environ)

    connect(stack("http://nowhere").model_copy(update={"server": None}), tmp_path)

    assert dict(os.environ) == before
