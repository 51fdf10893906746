"""The service as a process on this machine: started so that it outlives the run, found, stopped."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from pydantic import ValidationError

from churn.durable import replace_text
from churn.errors import ChurnError
from churn.frozen_model import FrozenModel
from churn.root import ROOT

HOST = "127.0.0.1"
LOG = "service.log"
_FILE = "service.json"
_PREFIX = "CHURN_"
_SET_BY_ARGUMENTS = {"CHURN_HOST", "CHURN_PORT", "CHURN_WORKERS", "CHURN_STORE"}
_STOP_SECONDS = 60.0
_KILL_SECONDS = 5.0
_PAUSE = 0.05
_SAME_SECONDS = 1.0  # the start time of a process is read twice, from two clocks


class LocalProcess(FrozenModel):
    """A service that was started here; stored in a file, so that the next run finds it.

    Attributes:
        pid: Process id.
        born: When the process was started, seconds since 1970: process ids are reused.
        port: Port that it listens on.
        workers: Number of worker processes.
        store: Bundle store that it reads.
    """

    pid: int
    born: float
    port: int
    workers: int
    store: str

    @property
    def alive(self) -> bool:
        """Whether exactly this process runs."""
        return self._process() is not None

    @property
    def environment(self) -> dict[str, str]:
        """Its `CHURN_` variables; empty where the system does not show them."""
        process = self._process()
        with contextlib.suppress(psutil.Error, OSError):
            return _service_variables(process.environ() if process else {})
        return {}

    def stop(self) -> None:
        """Lets it finish its requests, and kills it after 60 s.

        Raises:
            ChurnError: it belongs to another user.
        """
        process = self._process()
        if process is None:
            return
        try:
            family = [process, *process.children(recursive=True)]
            process.terminate()
            for each in _alive_after(family, _STOP_SECONDS):
                each.kill()
            _alive_after(family, _KILL_SECONDS)
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied:
            raise ChurnError(
                f"Process {self.pid}, the service on port {self.port}, may not be stopped by you; "
                "ask whoever started it."
            ) from None

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < _SAME_SECONDS
        except psutil.Error:
            return None
        return process if same and not _has_ended(process) else None


def find_process(folder: Path) -> LocalProcess | None:
    """Returns the service that was started from a folder and still runs; None where none does."""
    try:
        stored = LocalProcess.model_validate_json((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    return stored if stored.alive else None


def start_process(
    folder: Path,
    *,
    port: int,
    workers: int,
    store: str,
    ledger: str,
    environment: Mapping[str, str],
) -> LocalProcess:
    """Starts the service; the folder gets its log and the file by which it is found again.

    Args:
        folder: Folder of this target.
        port: Port to listen on, on 127.0.0.1.
        workers: Number of worker processes.
        store: Bundle store to serve from.
        ledger: URL of the ledger, unless the environment names one.
        environment: The service's own settings, `CHURN_...`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(_PREFIX)}
    settings = {n: v for n, v in environment.items() if n not in _SET_BY_ARGUMENTS}
    arguments = ["--host", HOST, "--port", str(port), "--workers", str(workers), "--store", store]
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.api", *arguments],
            cwd=ROOT,
            env=inherited | {"CHURN_LEDGER": ledger} | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in this terminal must not stop it
        )
    born = psutil.Process(process.pid).create_time()
    # Nobody here waits for the process, which Popen would warn about.
    process.returncode = 0
    started = LocalProcess(pid=process.pid, born=born, port=port, workers=workers, store=store)
    replace_text(folder / _FILE, started.model_dump_json(indent=1) + "\n")
    return started


def remove_process_file(folder: Path) -> None:
    """Deletes the file by which a service is found again."""
    (folder / _FILE).unlink(missing_ok=True)


def service_environment() -> dict[str, str]:
    """Returns this process's `CHURN_` variables, the settings of the service."""
    return _service_variables(os.environ)


def port_is_free(port: int) -> bool:
    """Whether a server can listen on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def exit_reason(folder: Path) -> str:
    """Returns why a service ended, from the last line of its log, as the end of a sentence."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log."
    line = next((each for each in reversed(lines) if each.strip()), "it left an empty log.")
    with contextlib.suppress(ValueError, AttributeError):
        record = json.loads(line)
        line = str(record.get("reason") or record.get("event") or line)
    return f"{line.rstrip('.')}."


def _service_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_PREFIX)}


def _alive_after(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Waits until all have ended, so many seconds at most; returns those that have not."""
    until = time.monotonic() + seconds
    while True:
        alive = [each for each in family if not _has_ended(each)]
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(_PAUSE)


def _has_ended(process: psutil.Process) -> bool:
    """Whether a process is gone, or a zombie that its parent has not reaped."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
