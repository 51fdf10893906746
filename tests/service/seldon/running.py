"""The real servers, each from an environment of its own that is made once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx

from churn.home import home

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "service" / "seldon"
ENVIRONMENTS = home() / "venvs"
_START_SECONDS = 90.0  # seconds until a server must be ready, on a busy machine


def environment(requirements: str) -> Path:
    """Returns the folder of an environment with the pins of a requirements file; makes it if missing.

    Named by the digest of the file, so that a changed pin makes another one. Packages come from
    where pip is configured to take them, through the installer's own reading of pip's settings.
    """
    file = PACKAGE / requirements
    digest = hashlib.sha256(file.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place, complete = ENVIRONMENTS / digest, ENVIRONMENTS / f"{digest}.complete"
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once make one
        if not complete.exists():
            shutil.rmtree(place, ignore_errors=True)
            _install(file, place)
            complete.touch()
    return place


def _install(file: Path, place: Path) -> None:
    installer = _installer()
    if not installer.fetch_uv():
        raise RuntimeError(
            "uv is not available from the package index, so Seldon cannot be tested."
        )
    settings = installer.uv_environment()
    for command in (
        ["venv", "--quiet", "--python", sys.executable, place],
        ["pip", "install", "--quiet", "--python", place / "bin" / "python", "-r", file],
    ):
        subprocess.run([installer.UV, *command], env=settings, check=True)


def _installer() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))  # it imports a module beside it
    try:
        spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


@dataclass(frozen=True)
class Server:
    """A server that answers; processes of its own group."""

    process: subprocess.Popen[bytes]
    python: Path
    http: str
    grpc: str
    metrics: str
    log: Path

    def cpu_seconds(self) -> float:
        """Processor time that all its processes have used."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if int(fields[2]) == self.process.pid:  # its process group
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def ask_by_grpc(self, program: str, document: str) -> str:
        """What a client of the server's own library prints; it reads the document from stdin."""
        done = subprocess.run(
            [self.python, Path(__file__).with_name(program), self.grpc],
            input=document,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def seldon_core(bundle_uri: str | Path, log: Path, *, workers: int = 1) -> Iterator[Server]:
    """The microservice of Seldon Core 1 with our model in it."""
    home = environment("requirements.txt")
    http, grpc, metrics = _free_ports(3)
    command = [home / "bin" / "seldon-core-microservice", "service.seldon.model.ChurnModel"]
    command += ["--service-type", "MODEL", "--workers", str(workers)]
    command += ["--http-port", str(http), "--grpc-port", str(grpc), "--metrics-port", str(metrics)]
    variables = {"BUNDLE_URI": str(bundle_uri)}
    with _started(command, variables, home, (http, grpc, metrics), "/health/status", log) as server:
        yield server


@contextmanager
def mlserver(folder: str | Path, log: Path, **variables: str) -> Iterator[Server]:
    """MLServer with the models that lie below a folder."""
    home = environment("requirements-mlserver.txt")
    http, grpc, metrics = _free_ports(3)
    command = [home / "bin" / "mlserver", "start", folder]
    variables |= {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(http),
        "MLSERVER_GRPC_PORT": str(grpc),
        "MLSERVER_METRICS_PORT": str(metrics),
        "MLSERVER_PARALLEL_WORKERS": "0",
    }
    with _started(
        command, variables, home, (http, grpc, metrics), "/v2/models/churn/ready", log
    ) as server:
        yield server


@contextmanager
def _started(
    command: list[str | Path],
    variables: dict[str, str],
    home: Path,
    ports: tuple[int, int, int],
    ready: str,
    log: Path,
) -> Iterator[Server]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=kept | own | variables,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that it can be stopped as a whole
        )
    try:
        http, grpc, metrics = (f"127.0.0.1:{port}" for port in ports)
        _await(process, f"http://{http}{ready}", log)
        yield Server(
            process, home / "bin" / "python", f"http://{http}", grpc, f"http://{metrics}", log
        )
    finally:
        _stop(process)


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"The server ended ({process.returncode}):\n{log.read_text()}")
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"The server was not ready in time:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=5)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
