"""The service `api` of docker-compose.yml: it reads the store that promotion publishes to."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn.errors import ChurnError, InputError
from churn.root import ROOT
from deployment.local import SERVICE_PROTOCOLS
from deployment.readiness import wait_until_serving
from deployment.store import SharedStore
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, ProbeSpec, RollbackResult

_SERVICE = "api"
_PORT, _STORE = "API_PORT", "STORE"
_LINE = re.compile(r"\s*([A-Z_]+)\s*=\s*(.*?)\s*")


class ComposeTarget:
    """A container that compose starts, or keeps where nothing of it has changed."""

    manifests = ""

    def __init__(self, wanted: DeployRequest) -> None:
        """Reads the file with the secrets for the port that is published."""
        self._wanted = wanted
        self._file = ROOT / wanted.settings.compose.env_file
        self._store = SharedStore(wanted.store, wanted.version)
        self._docker = Program("docker", environment={_STORE: str(wanted.store)})
        self._ran_before = False
        self.changed = False
        self.actions: list[str] = []
        self.place = f"http://127.0.0.1:{self._settings().get(_PORT) or '8000'}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes; compose may be told of several workers, so it is asked several times."""
        return ProbeSpec(
            "/readyz", reports_version=True, protocols=SERVICE_PROTOCOLS, consecutive=6
        )

    def check_prerequisites(self) -> None:
        """Docker, its engine, the secrets, the key, and a store that can be bound must be there.

        Raises:
            InputError: one is not.
            ChurnError: the engine does not answer.
        """
        self._docker.require(
            "install Docker with its Compose plugin, or deploy with --set target=local."
        )
        if not isinstance(self._wanted.store, Path):
            raise InputError(
                f"Compose binds a folder as its store, and {self._wanted.store} is none; deploy from a "
                "stack that publishes into a folder, or with --set target=kubernetes."
            )
        if not self._file.is_file():
            raise InputError(
                f"There is no {self._file} with what docker-compose.yml asks for; run python "
                "tools/compose_secrets.py, or name another with --set compose.env_file=FILE."
            )
        if self._wanted.key is None:
            raise InputError(
                f"The service in compose asks for an API key; set "
                f"{self._wanted.settings.smoke.key_variable} to the one that "
                "tools/compose_secrets.py has printed."
            )
        engine = self._docker.asked("version", "--format", "{{.Server.Version}}", seconds=60)
        if engine.returncode:
            raise ChurnError(
                f"Docker's engine does not answer ({last_line(engine.stderr).rstrip('.')}); start it, "
                "or deploy with --set target=local."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done."""
        publishing = self._store.would_publish()
        up = self._docker.spoken(*self._up())
        return publishing, up.replace("$ ", f"$ {_STORE}={self._wanted.store} ", 1)

    def deploy(self) -> None:
        """Publishes, and brings the container up.

        Raises:
            ChurnError: it does not come to serve the version.
        """
        listed = self._docker.asked(
            *self._compose("ps", "--status", "running", "--quiet", _SERVICE)
        )
        self._ran_before = listed.returncode == 0 and bool(listed.stdout.strip())
        self.actions.append(self._store.publish())
        self.changed = True
        self.actions.append(self._docker.spoken(*self._up()))
        self._docker.run(*self._up())
        self._wait(self._wanted.version)

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """The port is published on this machine."""
        yield self.place

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Points back; a container that did not run before is stopped.

        Raises:
            ChurnError: what served before does not come to serve again.
        """
        now = self._store.put_back() if smoke_failed or self._store.moved else self._store.serving
        if not self._ran_before:
            stopping = self._compose("stop", _SERVICE)
            self.actions.append(self._docker.spoken(*stopping))
            self._docker.run(*stopping)
            return RollbackResult(None, "The container was stopped; none ran before.")
        if now is None:
            return RollbackResult.nothing_before(self._wanted.version)
        self._wait(now)
        return RollbackResult(now, f"Version {now} serves again.")

    def save_state(self) -> None:
        """The store knows what served before."""

    def close(self) -> None:
        """Nothing is kept open."""

    def _up(self) -> list[str]:
        return self._compose("up", "-d", "--wait", _SERVICE)

    def _compose(self, *arguments: str) -> list[str]:
        return ["compose", "--env-file", str(self._file), *arguments]

    def _wait(self, version: str) -> None:
        wait_until_serving(
            self.place,
            self.probe,
            version,
            seconds=self._wanted.settings.smoke.wait_seconds,
            key=self._wanted.key,
        )

    def _settings(self) -> dict[str, str]:
        """What compose will see: this environment over the file."""
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        found = {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}
        return found | {name: os.environ[name] for name in (_PORT,) if os.environ.get(name)}
