"""The service as a process of this machine: started so that it outlives the run, found again, stopped."""

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

from churn.errors import ChurnError
from churn.frozen_model import FrozenModel
from churn.root import ROOT
from churn.scoring.bundle.durable import replace_text

HOST = "127.0.0.1"
LOG = "service.log"
_FILE = "service.json"
_PREFIX = "CHURN_"
_STOP_SECONDS = 60.0
_KILL_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_SAME_SECONDS = 1.0  # clocks are read twice


class LocalProcess(FrozenModel):
    """A service that was started here; kept in a file, so that the next run finds it.

    Attributes:
        pid: of the process.
        born: when it was started, seconds since 1970: process ids come back.
        port: it listens on.
        workers: processes that answer.
        store: it watches.
    """

    pid: int
    born: float
    port: int
    workers: int
    store: str

    @property
    def alive(self) -> bool:
        """Whether that very process runs."""
        return self._process() is not None

    @property
    def environment(self) -> dict[str, str]:
        """The service's settings among its variables; empty where the system does not tell."""
        process = self._process()
        with contextlib.suppress(psutil.Error, OSError):
            found = process.environ() if process else {}
            return {name: value for name, value in found.items() if name.startswith(_PREFIX)}
        return {}

    def stop(self) -> None:
        """Asks it to finish what has begun, and makes it end where it does not.

        Raises:
            ChurnError: it is somebody else's.
        """
        process = self._process()
        if process is None:
            return
        try:
            family = [process, *process.children(recursive=True)]
            process.terminate()
            for each in _left_after(family, _STOP_SECONDS):
                each.kill()
            _left_after(family, _KILL_SECONDS)
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
        return process if same and not _ended(process) else None


def _left_after(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Who has not ended within that time."""
    until = time.monotonic() + seconds
    while True:
        left = [each for each in family if not _ended(each)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(_LOOK_SECONDS)


def _ended(process: psutil.Process) -> bool:
    """Whether it is gone, or only waits for somebody to ask how it ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def find_process(folder: Path) -> LocalProcess | None:
    """The service that was started from a folder and still runs; None where none does."""
    try:
        kept = LocalProcess.model_validate_json((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    return kept if kept.alive else None


def start_process(
    folder: Path,
    *,
    port: int,
    workers: int,
    store: str,
    ledger: str,
    environment: Mapping[str, str],
) -> LocalProcess:
    """Starts the service; its log and what is needed to find it again lie in the folder.

    Args:
        folder: of this target.
        port: to listen on, on 127.0.0.1.
        workers: processes that answer.
        store: to serve from.
        ledger: for its predictions, unless the environment says otherwise.
        environment: the service's own settings, `CHURN_...`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    others = {n: v for n, v in os.environ.items() if not n.startswith(_PREFIX)}
    given = {n: v for n, v in environment.items() if n not in _SAID}
    words = ["--host", HOST, "--port", str(port), "--workers", str(workers), "--store", store]
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.api", *words],
            cwd=ROOT,
            env=others | {"CHURN_LEDGER": ledger} | given,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in this terminal is not meant for it
        )
    born = psutil.Process(process.pid).create_time()
    # Whoever started it does not wait for it; it is found again by its file.
    process.returncode = 0
    started = LocalProcess(pid=process.pid, born=born, port=port, workers=workers, store=store)
    replace_text(folder / _FILE, started.model_dump_json(indent=1) + "\n")
    return started


def remove_process_file(folder: Path) -> None:
    """Takes the file away by which a service is found again."""
    (folder / _FILE).unlink(missing_ok=True)


def service_environment() -> dict[str, str]:
    """The service's settings in this environment."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def port_is_free(port: int) -> bool:
    """Whether somebody can listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((HOST, port))
        except OSError:
            return False
    return True


def exit_reason(folder: Path) -> str:
    """Why a service ended, by the last line of its log."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log."
    line = next((each for each in reversed(lines) if each.strip()), "it left an empty log.")
    with contextlib.suppress(ValueError, AttributeError):
        told = json.loads(line)
        line = str(told.get("reason") or told.get("event") or line)
    return f"{line.rstrip('.')}."


_SAID = {"CHURN_HOST", "CHURN_PORT", "CHURN_WORKERS", "CHURN_STORE"}
