"""Target local: `python -m service.api` on this machine, in development mode, as `make serve` has it."""

import httpx

from churn.deployment.protocols import service_protocols
from churn.errors import InputError
from churn.scoring.bundle import history
from deployment.local_process import (
    HOST,
    LOG,
    LocalProcess,
    exit_reason,
    find_process,
    port_is_free,
    remove_process_file,
    service_environment,
    start_process,
)
from deployment.readiness import ProbeSpec, RefusedError
from deployment.store import SharedStore
from deployment.target import DeployRequest, RollbackResult, Target

_METADATA_SECONDS = 3
_KEY_VARIABLES = ("CHURN_API_KEYS", "CHURN_API_KEY_FILE")


class LocalTarget(Target):
    """A process that outlives the run; where it runs already, it follows the store by itself."""

    def __init__(self, request: DeployRequest) -> None:
        """Looks for the process that an earlier run has started."""
        super().__init__(request)
        self._settings = request.settings.local
        self._folder = request.state / "local"
        self._store = SharedStore(request.store, request.ledger, request.model, request.version)
        self._running = find_process(self._folder)
        self._stopped: tuple[LocalProcess, dict[str, str]] | None = None
        self._started: LocalProcess | None = None
        self.place = f"http://{HOST}:{self._settings.port}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes; several workers swap up to a second apart, so several times in a row."""
        workers = self._settings.workers
        return ProbeSpec(
            "/readyz",
            reports_version=True,
            protocols=service_protocols(),
            consecutive=1 if workers == 1 else 6 * workers,
        )

    def check_prerequisites(self) -> None:
        """Checks that the port is free or ours, and that there is a key where one is needed."""
        with_keys = [name for name in _KEY_VARIABLES if service_environment().get(name)]
        if with_keys and self.request.key is None:
            raise InputError(
                f"{with_keys[0]} makes the service ask for an API key; set "
                f"{self.request.settings.smoke.key_variable} to one that it accepts."
            )
        port = self._settings.port
        ours = self._running is not None and self._running.port == port
        if not (ours or port_is_free(port) or self._serves_this_store()):
            raise InputError(
                f"Port {port} of {HOST} is taken by something that does not serve "
                f"{self.request.store}; stop it, or name another port with --set "
                f"local.port={port + 1}."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """Returns what `deploy` would do."""
        options = f"--port {self._settings.port} --workers {self._settings.workers}"
        start = f"$ python -m service.api {options} --store {self.request.store}"
        running = self._running
        if running is None:
            actions = [start] if port_is_free(self._settings.port) else [self._following()]
        elif self._has_same_settings(running):
            actions = [f"Process {running.pid} serves from there already and swaps by itself."]
        else:
            actions = [f"Stop process {running.pid}, which serves on other settings.", start]
        return (self._store.planned_publish(), *actions)

    def deploy(self) -> None:
        """Publishes the version; starts the service, or waits until it has swapped."""
        self.publish(self._store)
        running = self._running
        if running is None and not port_is_free(self._settings.port):
            self.actions.append(self._following())
            self.wait(self.request.version)
        elif running is None:
            self._start()
        elif self._has_same_settings(running):
            self.actions.append(f"Process {running.pid} runs already and follows the store.")
            try:
                self._wait_for(running, self.request.version)
            except RefusedError as error:
                self.actions.append(f"It will not swap, so it is started anew: {error}")
                self._restart(running)
        else:
            self._restart(running)

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Moves the pointer back, and starts the process again that ran before."""
        before = self._store.roll_back(smoke_failed=smoke_failed)
        if self._started is not None:
            self._started.stop()
            remove_process_file(self._folder)
        if self._stopped is not None:
            version = before or self.request.version  # the only version there is
            stopped, environment = self._stopped
            self.place = f"http://{HOST}:{stopped.port}"
            process = self._launch(stopped.port, stopped.workers, stopped.store, environment)
            self._wait_for(process, version)
            return RollbackResult(
                version, f"What ran before was started again: version {version} on {self.place}."
            )
        if self._started is not None:
            return RollbackResult(None, "The service was stopped; none ran before.")
        if before is None:
            return RollbackResult.first_version(self.request.version)
        if before == self.request.version:
            return RollbackResult.not_yet(before)
        self._wait_for(self._running, before)
        return RollbackResult.serves_again(before)

    def _process_settings(self) -> tuple[int, int, str]:
        return self._settings.port, self._settings.workers, str(self.request.store)

    def _has_same_settings(self, running: LocalProcess) -> bool:
        return (running.port, running.workers, running.store) == self._process_settings()

    def _restart(self, running: LocalProcess) -> None:
        # In memory alone: the environment may hold digests of keys.
        self._stopped = running, running.environment
        running.stop()
        self.actions.append(f"Stopped process {running.pid} on port {running.port}.")
        self._start()

    def _start(self) -> None:
        port, workers, store = self._process_settings()
        process = self._launch(port, workers, store, service_environment())
        self.actions.append(
            f"Started process {process.pid} on {self.place}; its log is {self._folder / LOG}."
        )
        self._wait_for(process, self.request.version)

    def _launch(
        self, port: int, workers: int, store: str, environment: dict[str, str]
    ) -> LocalProcess:
        self._started = start_process(
            self._folder,
            port=port,
            workers=workers,
            store=store,
            ledger=self.request.ledger,
            environment=environment,
        )
        return self._started

    def _wait_for(self, process: LocalProcess | None, version: str) -> None:
        def died() -> str | None:
            if process is None or process.alive:
                return None
            return f"The service on port {process.port} has ended: {exit_reason(self._folder)}"

        self.wait(version, died=died)

    def _following(self) -> str:
        return f"A service that somebody else started on {self.place} follows the store."

    def _serves_this_store(self) -> bool:
        """Whether what listens on the port serves what this store has, or had, in production."""
        headers = {"X-API-Key": self.request.key} if self.request.key else {}
        try:
            response = httpx.get(
                f"{self.place}/metadata",
                headers=headers,
                timeout=_METADATA_SECONDS,
                trust_env=False,
            )
            if response.status_code == httpx.codes.UNAUTHORIZED:
                raise InputError(
                    f"The service on {self.place} asks for an API key; set "
                    f"{self.request.settings.smoke.key_variable} to one that it accepts."
                )
            published = {entry.digest for entry in history(self.request.store)}
            return response.json()["bundle_sha256"] in published
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
