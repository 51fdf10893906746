"""Whatever the service writes to stderr is its own log, one JSON object a line, whatever it is sent and however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from tests.servers.churn_api import serving
from tests.servers.logged_process import ROOT, environment

GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the beginning of TLS
    b"GET / HTTP/9.9\r\n\r\n",
    b"7590-VHVEG / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_line_is_of_another_form_and_the_scratch_folder_is_empty_at_the_end(
    store, tmp_path, workers
):
    with serving(store, tmp_path, workers) as service:
        for sent in GARBAGE:
            with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
                connection.sendall(sent)
                connection.recv(10_000)
        if workers > 1:
            os.kill(service.workers()[0], signal.SIGKILL)
            service.wait_for("ready", workers + 1)
        during = {path.name for path in (tmp_path / "scratch").iterdir()}
        code = service.stop()

    assert code == 0
    assert len(during) == 2  # the lock, and the folder of the metrics
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == [".lock"]
    assert service.logged("unreadable") == []
    assert "7590-VHVEG" not in str(service.lines)


def test_a_service_that_cannot_start_says_so_in_lines_of_its_log_and_by_its_exit_code(
    store, tmp_path
):
    code = (
        "import sys\n"
        "from service.core.ledger_writer import LedgerWriter\n"
        "def fail(_): raise RuntimeError('7590-VHVEG')\n"
        "LedgerWriter.start = fail\n"
        "from service.api.__main__ import main\n"
        "sys.exit(main(['--port=0', f'--store={sys.argv[1]}']))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code, str(store)],
        cwd=ROOT,
        env=environment(ledger="none", scratch_folder=tmp_path / "scratch"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 3
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    library = [line for line in lines if line["event"] == "library"]
    assert "RuntimeError" in str(library)
    assert "Application startup failed. Exiting." in [line["message"] for line in library]
    assert "7590-VHVEG" not in ended.stderr
