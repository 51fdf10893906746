"""Starting ZenML's dashboard: what is said where it cannot be started, before anything is."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tools import dashboard


@pytest.fixture
def alone(monkeypatch):
    """No server is running or connected to."""
    monkeypatch.setattr("zenml.utils.server_utils.get_local_server", lambda: None)
    monkeypatch.setattr("zenml.utils.server_utils.connected_to_local_server", lambda: False)
    for name in ("ZENML_LOGGING_VERBOSITY", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "")


def test_a_taken_port_is_refused_with_the_next_one(alone, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code = dashboard.main(["--port", str(port)])

    assert code == 2
    output = capsys.readouterr().err
    assert output.startswith(f"Port {port} of 127.0.0.1 is taken;")
    assert f'ARGS="--port {port + 1}"' in output


def test_stopping_what_does_not_run_is_no_failure(alone, capsys):
    assert dashboard.main(["--stop"]) == 0
    assert capsys.readouterr().out == "ZenML's dashboard is not running.\n"


def test_whatever_goes_wrong_is_one_sentence(alone, monkeypatch, capsys):
    def broken():
        raise RuntimeError("the disk\nis full.")

    monkeypatch.setattr("zenml.utils.server_utils.get_local_server", broken)

    assert dashboard.main(["--stop"]) == 1
    output = capsys.readouterr().err
    assert output == "ZenML's dashboard could not be started or stopped: the disk is full.\n"


def test_help_needs_no_zenml(root):
    command = [sys.executable, "-X", "importtime", str(root / "tools" / "dashboard.py"), "--help"]

    output = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "--stop" in output.stdout
    assert "zenml" not in output.stderr
