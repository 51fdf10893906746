"""What a person at a terminal sees when the service starts."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from service.api.greeting import greeting
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from tests.servers.logged_process import environment

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def make_state(published_store, tmp_path):
    return lambda **settings: WorkerState(
        ServiceSettings(store=str(published_store), ledger="none", **settings), tmp_path
    )


def curl(text):
    return next(line for line in text.splitlines() if line.startswith("curl "))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("::", "http://localhost:80"),
        ("::1", "http://[::1]:80"),
        ("10.0.0.7", "http://10.0.0.7:80"),
    ],
)
def test_the_address_can_be_opened(make_state, host, url):
    text = greeting(host, 80, make_state())

    assert f"answers on {url} and describes itself on {url}/docs." in text
    assert shlex.split(curl(text))[2] == f"{url}/v1/score"


def test_the_key_is_named_only_where_one_is_needed(make_state):
    assert "X-API-Key" not in greeting("::1", 80, make_state())
    assert "-H 'X-API-Key: YOUR-KEY'" in greeting("::1", 80, make_state(api_keys=("ab" * 32,)))


def read_until(terminal, pattern, seconds=60):
    text, until = "", time.monotonic() + seconds
    while not re.search(pattern, text) and time.monotonic() < until:
        text += os.read(terminal, 65_536).decode()
    return text


def test_on_a_terminal_there_is_one_curl_line_that_is_answered_and_lines_for_people(
    store, tmp_path
):
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "service.api", "--port=0", f"--store={store}", "--workers=2"],
        cwd=ROOT, env=environment() | {"CHURN_LEDGER": "none"}, stdout=end, stderr=end,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(end)
    try:
        text = read_until(terminal, r"(?s)curl .*info: ready.*info: ready")
        words = shlex.split(curl(text))
        answer = httpx.post(words[2], content=words[words.index("-d") + 1], timeout=30)
    finally:
        process.terminate()
        process.wait(60)
        os.close(terminal)

    assert text.count("curl ") == 1
    assert answer.status_code == 200
    assert "{" not in text.replace(curl(text), "")
    assert re.search(r"\d\d:\d\d:\d\d info: listening host=127.0.0.1 port=\d+ workers=2", text)


def test_elsewhere_there_is_json_alone(store, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "service.api", "--port=0", f"--store={store}"],
        cwd=ROOT, env=environment() | {"CHURN_LEDGER": "none"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "ready":
            process.terminate()
    output, _ = process.communicate(timeout=60)

    assert output == ""
    assert {"listening", "ready"} <= {line["event"] for line in lines}
