"""Target zenml: the scoring pipeline as a deployment of the active stack's deployer.

A deployment follows the store by itself, so that a new one is made only where there is none, or
where its settings changed: with the command that people type, since no step imports a pipeline.
"""

import sys
from urllib.parse import urlsplit

from churn.deployment.protocols import zenml_invocation
from churn.errors import ChurnError, InputError
from churn.home import home
from churn.scoring.bundle import address, history
from deployment.local_process import HOST, port_is_free
from deployment.readiness import ProbeSpec
from deployment.store import SharedStore
from deployment.subprocesses import Program
from deployment.target import DeployRequest, RollbackResult, Target
from deployment.zenml_deployments import PORT, ZenmlDeployment, find_deployment, stop_deployment

_SWAP_SECONDS = 5.0  # a deployment reads the store's pointer once a second


class ZenmlTarget(Target):
    """A ZenML deployment, which outlives the run."""

    def __init__(self, request: DeployRequest) -> None:
        """Looks for a deployment of that name in ZenML."""
        super().__init__(request)
        self._settings = request.settings.zenml
        self._store = SharedStore(request.store, request.ledger, request.model, request.version)
        self._stack = active_stack()
        self._before = find_deployment(self._settings.name)
        self._current = self._before
        self._command = Program(
            sys.executable, "-m", "runner.scoring_service", display_name="python"
        )
        self._deploying = False
        same = self._before is not None and self._has_same_settings(self._before)
        self._reusable = self._before if same else None
        new = f"http://{HOST}:{self._settings.port or PORT}"
        self.place = self._reusable.address if self._reusable else new

    @property
    def probe(self) -> ProbeSpec:
        """ZenML's route, with the key that ZenML has generated."""
        key = self._current.key if self._current else None
        return ProbeSpec(
            "/health",
            reports_version=False,
            protocols=(zenml_invocation(),),
            headers=(("Authorization", f"Bearer {key}"),) if key else (),
            swap_seconds=_SWAP_SECONDS,
        )

    def check_prerequisites(self) -> None:
        """Checks that the name is ours or free, and the port, too, where the settings name one."""
        before, port = self._before, self._settings.port
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
        """Returns what `deploy` would do."""
        publish = self._store.planned_publish()
        if self._reusable:
            return publish, _following(self._reusable)
        return publish, self._command.command_line(*self._arguments())

    def deploy(self) -> None:
        """Publishes the version; deploys where nothing runs with the same settings."""
        self.publish(self._store)
        if self._reusable:
            self.actions.append(_following(self._reusable))
        else:
            self._deploy(*self._arguments())

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Moves the pointer back; stops a new deployment, and deploys what it replaced again."""
        version = self._store.roll_back(smoke_failed=smoke_failed)
        before = self._before
        if self._deploying and (before is None or not before.running):
            stop_deployment(self._settings.name)
            return RollbackResult(None, "The deployment was stopped; none ran before.")
        if self._deploying and before is not None and find_deployment(before.name) != before:
            return self._deploy_again(before)
        if version is None:
            return RollbackResult.first_version(self.request.version)
        if version == self.request.version and not self._deploying:
            return RollbackResult.not_yet(version)
        self.wait(version)
        return RollbackResult.serves_again(version)

    def _deploy(self, *arguments: str) -> None:
        self._deploying = True
        self.run(self._command, *arguments)
        self._current = find_deployment(self._settings.name)
        if self._current is None:
            raise ChurnError(
                f"ZenML has no deployment '{self._settings.name}', though it made one."
            )
        self.place = self._current.address
        self.wait(self.request.version)

    def _deploy_again(self, before: ZenmlDeployment) -> RollbackResult:
        keyed = before.key is not None
        store = str(before.store)
        self._deploy(*_deploy_command(before.name, before.stack, store, _port(before), keyed=keyed))
        past = history(address(store))
        version = past[-1].version if past else None
        new_key = " with a new key" if self._current and self._current.key != before.key else ""
        return RollbackResult(
            version,
            f"What ran before was deployed again{new_key}: version {version} on {self.place}.",
        )

    def _arguments(self) -> list[str]:
        settings, store = self._settings, str(self.request.store)
        command = _deploy_command(
            settings.name, self._stack, store, settings.port, keyed=settings.keyed
        )
        return [*command, "--state", str(home(self.request.settings.output.folder))]

    def _has_same_settings(self, existing: ZenmlDeployment) -> bool:
        return (
            existing.running
            and (existing.store, existing.stack) == (str(self.request.store), self._stack)
            and self._settings.port in {None, _port(existing)}
            and self._settings.keyed == (existing.key is not None)
        )


def active_stack() -> str:
    """Returns the name of the run's stack."""
    from zenml.client import Client

    return Client().active_stack_model.name


def _following(existing: ZenmlDeployment) -> str:
    return f"'{existing.name}' answers at {existing.address} already and follows the store."


def _deploy_command(
    name: str, stack: str, store: str, port: int | None, *, keyed: bool
) -> list[str]:
    options = ["--port", str(port)] if port else []
    options += ["--keyed"] if keyed else []
    return ["deploy", "--stack", stack, "--store", store, "--name", name, *options]


def _port(existing: ZenmlDeployment) -> int | None:
    return urlsplit(existing.address).port
