"""Target compose: the service `api` of docker-compose.yml, on the store that promotion publishes to."""

import os
import re
from pathlib import Path

from churn.deployment.protocols import service_protocols
from churn.errors import ChurnError, InputError
from churn.home import home
from churn.root import ROOT
from deployment.readiness import ProbeSpec
from deployment.store import SharedStore
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, RollbackResult, Target

_SERVICE = "api"
_PORT, _STORE = "API_PORT", "STORE"
_LINE = re.compile(r"\s*([A-Z_]+)\s*=\s*(.*?)\s*")


class ComposeTarget(Target):
    """A container that compose starts, or keeps where none of its settings changed."""

    def __init__(self, request: DeployRequest) -> None:
        """Reads the published port from the file with the secrets."""
        super().__init__(request)
        self._env_file = ROOT / (request.settings.compose.env_file or home() / "compose.env")
        self._store = SharedStore(request.store, request.ledger, request.model, request.version)
        self._docker = Program("docker", environment={_STORE: str(request.store)})
        self._ran_before = False
        self.place = f"http://127.0.0.1:{self._published_port() or '8000'}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes, several times in a row: compose may start several workers."""
        return ProbeSpec(
            "/readyz", reports_version=True, protocols=service_protocols(), consecutive=6
        )

    def check_prerequisites(self) -> None:
        """Checks Docker and its engine, the secrets, the key, and that the store is a folder."""
        self._docker.require(
            "install Docker with its Compose plugin, or deploy with --set target=local."
        )
        if not isinstance(self.request.store, Path):
            raise InputError(
                f"Compose binds a folder as its store, and {self.request.store} is none; deploy from "
                "a stack that publishes into a folder, or with --set target=kubernetes."
            )
        if not self._env_file.is_file():
            raise InputError(
                f"There is no {self._env_file} with what docker-compose.yml asks for; run python "
                "tools/compose_secrets.py, or name another with --set compose.env_file=FILE."
            )
        if self.request.key is None:
            raise InputError(
                f"The service in compose asks for an API key; set "
                f"{self.request.settings.smoke.key_variable} to the one that "
                "tools/compose_secrets.py has printed."
            )
        engine = self._docker.run_unchecked(
            "version", "--format", "{{.Server.Version}}", seconds=60
        )
        if engine.returncode:
            raise ChurnError(
                f"Docker's engine does not answer ({last_line(engine.stderr).rstrip('.')}); start it, "
                "or deploy with --set target=local."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """Returns what `deploy` would do."""
        up = self._docker.command_line(*self._up())
        return (
            self._store.planned_publish(),
            up.replace("$ ", f"$ {_STORE}={self.request.store} ", 1),
        )

    def deploy(self) -> None:
        """Publishes the version, and starts or keeps the container."""
        running = self._docker.run_unchecked(
            *self._compose("ps", "--status", "running", "--quiet", _SERVICE)
        )
        self._ran_before = running.returncode == 0 and bool(running.stdout.strip())
        self.publish(self._store)
        self.run(self._docker, *self._up())
        self.wait(self.request.version)

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Moves the pointer back; a container that did not run before is stopped."""
        before = self._store.roll_back(smoke_failed=smoke_failed)
        if not self._ran_before:
            self.run(self._docker, *self._compose("stop", _SERVICE))
            return RollbackResult(None, "The container was stopped; none ran before.")
        if before is None:
            return RollbackResult.first_version(self.request.version)
        if before == self.request.version:
            return RollbackResult.not_yet(before)
        self.wait(before)
        return RollbackResult.serves_again(before)

    def _up(self) -> list[str]:
        return self._compose("up", "-d", "--wait", _SERVICE)

    def _compose(self, *arguments: str) -> list[str]:
        return ["compose", "--env-file", str(self._env_file), *arguments]

    def _published_port(self) -> str | None:
        """Returns the port as compose reads it: this environment before the file."""
        try:
            lines = self._env_file.read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        in_file = {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}
        return os.environ.get(_PORT) or in_file.get(_PORT)
