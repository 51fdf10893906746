"""The scoring pipeline as a service of ZenML's: started by the active stack's deployer.

It follows the store by itself, so that only what is not there, or is there on other settings, is
deployed: by the command that people type, since no step imports a pipeline.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from churn.deployment.protocols import invocation
from churn.errors import ChurnError, InputError
from churn.root import ROOT
from churn.scoring.bundle import address, history
from deployment.local_process import HOST, port_is_free
from deployment.readiness import wait_until_serving
from deployment.store import SharedStore
from deployment.subprocesses import Program
from deployment.target import DeployRequest, ProbeSpec, RollbackResult
from deployment.zenml_deployments import PORT, ZenmlDeployment, find_deployment, stop_deployment

_LAG = 5.0  # it looks at the store's pointer once a second


class ZenmlTarget:
    """A deployment in ZenML, which outlives the run."""

    manifests = ""

    def __init__(self, wanted: DeployRequest) -> None:
        """Looks what ZenML has under that name."""
        self._wanted = wanted
        self._asked = wanted.settings.zenml
        self._store = SharedStore(wanted.store, wanted.version)
        self._stack = active_stack()
        self._before = find_deployment(self._asked.name)
        self._now = self._before
        self._command = Program(sys.executable, "-m", "runner.scoring_service", called="python")
        self._begun = False
        self.changed = False
        self.actions: list[str] = []
        ours = self._before is not None and self._as_asked(self._before)
        self.place = (
            self._before.address
            if self._before and ours
            else f"http://{HOST}:{self._asked.port or PORT}"
        )

    @property
    def probe(self) -> ProbeSpec:
        """ZenML's route, with the key that ZenML has made."""
        key = self._now.key if self._now else None
        headers = (("Authorization", f"Bearer {key}"),) if key else ()
        return ProbeSpec(
            "/health",
            reports_version=False,
            protocols=(invocation(),),
            headers=headers,
            swap_seconds=_LAG,
        )

    def check_prerequisites(self) -> None:
        """The name must be ours or free, and so must a port that is asked for.

        Raises:
            InputError: it is not.
        """
        before, port = self._before, self._asked.port
        if before is not None and before.store is None:
            raise InputError(
                f"ZenML's deployment '{before.name}' is not one of the scoring pipeline; name another "
                "with --set zenml.name=NAME."
            )
        ours = before is not None and before.running and _port(before) == port
        if port is not None and not ours and not port_is_free(port):
            raise InputError(
                f"Port {port} of {HOST} is taken; stop what listens there, or name another with --set "
                f"zenml.port={port + 1}."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done."""
        publishing = self._store.would_publish()
        if self._before is not None and self._as_asked(self._before):
            return publishing, self._following(self._before)
        return publishing, self._command.spoken(*self._deploying())

    def deploy(self) -> None:
        """Publishes, and deploys where nothing answers as it is asked for.

        Raises:
            ChurnError: it could not be deployed.
        """
        self.actions.append(self._store.publish())
        self.changed = True
        if self._before is not None and self._as_asked(self._before):
            self.actions.append(self._following(self._before))
        else:
            self._deploy(*self._deploying())

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """It listens on this machine."""
        yield self.place

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Points back; what was deployed is stopped, and what it replaced is deployed anew.

        Raises:
            ChurnError: what served before does not come to serve again.
        """
        now = self._store.put_back() if smoke_failed or self._store.moved else self._store.serving
        before = self._before
        if self._begun and (before is None or not before.running):
            stop_deployment(self._asked.name)
            return RollbackResult(None, "The deployment was stopped; none ran before.")
        if self._begun and before is not None and find_deployment(before.name) != before:
            self._deploy(*_again(before))
            past = history(address(str(before.store)))
            version = past[-1].version if past else None
            renewed = " with a new key" if self._now and self._now.key != before.key else ""
            return RollbackResult(
                version,
                f"What ran before was deployed again{renewed}: version {version} on {self.place}.",
            )
        if now is None:
            return RollbackResult.nothing_before(self._wanted.version)
        self._wait()
        return RollbackResult(now, f"Version {now} serves again.")

    def save_state(self) -> None:
        """The store and ZenML know what served before."""

    def close(self) -> None:
        """Nothing is kept open."""

    def _deploy(self, *words: str) -> None:
        self._begun = True
        self.actions.append(self._command.spoken(*words))
        self._command.run(*words)
        self._now = find_deployment(self._asked.name)
        if self._now is None:
            raise ChurnError(f"ZenML has no deployment '{self._asked.name}', though it made one.")
        self.place = self._now.address
        self._wait()

    def _deploying(self) -> list[str]:
        asked = self._asked
        return [
            *_words(asked.name, self._stack, str(self._wanted.store), asked.port, asked.keyed),
            "--state",
            str(ROOT / self._wanted.settings.output.folder),
        ]

    def _as_asked(self, found: ZenmlDeployment) -> bool:
        return (
            found.running
            and (found.store, found.stack) == (str(self._wanted.store), self._stack)
            and self._asked.port in {None, _port(found)}
            and self._asked.keyed == (found.key is not None)
        )

    def _following(self, found: ZenmlDeployment) -> str:
        return f"'{found.name}' answers at {found.address} already and follows the store."

    def _wait(self) -> None:
        wait_until_serving(
            self.place, self.probe, None, seconds=self._wanted.settings.smoke.wait_seconds
        )


def active_stack() -> str:
    """The name of the stack that the run is on."""
    from zenml.client import Client

    return Client().active_stack_model.name


def _again(before: ZenmlDeployment) -> list[str]:
    return _words(
        before.name, before.stack, str(before.store), _port(before), before.key is not None
    )


def _words(name: str, stack: str, store: str, port: int | None, keyed: bool) -> list[str]:
    asked = ["--port", str(port)] if port else []
    asked += ["--keyed"] if keyed else []
    return ["deploy", "--stack", stack, "--store", store, "--name", name, *asked]


def _port(found: ZenmlDeployment) -> int | None:
    return urlsplit(found.address).port
