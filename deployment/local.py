"""The service on this machine: `python -m service.api`, in development mode, as `make serve` has it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from churn.deployment.protocols import batch, inference, one_by_one
from churn.errors import InputError
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
from deployment.readiness import RefusedError, wait_until_serving
from deployment.store import SharedStore, published_digests
from deployment.target import DeployRequest, ProbeSpec, RollbackResult

SERVICE_PROTOCOLS = (one_by_one(), batch(), inference("churn", named=True))
_PROBE_SECONDS = 3
_KEYED = ("CHURN_API_KEYS", "CHURN_API_KEY_FILE")


class LocalTarget:
    """A process that outlives the run; where it runs already, it follows the store by itself."""

    manifests = ""

    def __init__(self, wanted: DeployRequest) -> None:
        """Looks for the process that an earlier run has started."""
        self._wanted = wanted
        self._asked = wanted.settings.local
        self._folder = wanted.state / "local"
        self._store = SharedStore(wanted.store, wanted.version)
        self._running = find_process(self._folder)
        self._stopped: tuple[LocalProcess, dict[str, str]] | None = None
        self._started: LocalProcess | None = None
        self.changed = False
        self.actions: list[str] = []
        self.place = f"http://{HOST}:{self._asked.port}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes; several workers may lag behind each other for a second."""
        consecutive = 1 if self._asked.workers == 1 else 6 * self._asked.workers
        return ProbeSpec(
            "/readyz", reports_version=True, protocols=SERVICE_PROTOCOLS, consecutive=consecutive
        )

    def check_prerequisites(self) -> None:
        """The port must be ours or free, and a service with keys must let us in.

        Raises:
            InputError: it is not, or it will not.
        """
        keyed = [name for name in _KEYED if service_environment().get(name)]
        if keyed and self._wanted.key is None:
            raise InputError(
                f"{keyed[0]} makes the service ask for an API key; set "
                f"{self._wanted.settings.smoke.key_variable} to one that it lets in."
            )
        ours = self._running is not None and self._running.port == self._asked.port
        if not (ours or port_is_free(self._asked.port) or self._is_of_this_store()):
            raise InputError(
                f"Port {self._asked.port} of {HOST} is taken by something that does not serve "
                f"{self._wanted.store}; stop it, or name another port with --set "
                f"local.port={self._asked.port + 1}."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done."""
        publishing = self._store.would_publish()
        words = f"--port {self._asked.port} --workers {self._asked.workers}"
        start = f"$ python -m service.api {words} --store {self._wanted.store}"
        if self._running is None:
            doing = [start] if port_is_free(self._asked.port) else [self._following()]
        elif self._as_asked(self._running):
            doing = [f"Process {self._running.pid} serves from there already and swaps by itself."]
        else:
            doing = [f"Stop process {self._running.pid}, which serves on other settings.", start]
        return (publishing, *doing)

    def deploy(self) -> None:
        """Publishes; starts the service, or waits for it to swap.

        Raises:
            ChurnError: it does not come to serve the version.
        """
        self.actions.append(self._store.publish())
        self.changed = True
        running = self._running
        if running is None and not port_is_free(self._asked.port):
            self.actions.append(self._following())
            self._wait(None, self._wanted.version)
        elif running is None:
            self._start()
        elif self._as_asked(running):
            self.actions.append(f"Process {running.pid} runs already and follows the store.")
            try:
                self._wait(running, self._wanted.version)
            except RefusedError as error:
                self.actions.append(f"It will not swap, so it is started anew: {error}")
                self._restart(running)
        else:
            self._restart(running)

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """It listens on this machine."""
        yield self.place

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Points back, and puts back the process that ran before.

        Raises:
            ChurnError: what served before does not come to serve again.
        """
        now = self._store.put_back() if smoke_failed or self._store.moved else self._store.serving
        if self._started is not None:
            self._started.stop()
            remove_process_file(self._folder)
        if self._stopped is not None:
            before, settings = self._stopped
            version = now or self._wanted.version  # there was no other: it goes back to itself
            self._started = self._begin(before.port, before.workers, before.store, settings)
            self._wait(self._started, version, port=before.port)
            self.place = f"http://{HOST}:{before.port}"
            return RollbackResult(
                version, f"What ran before was started again: version {version} on {self.place}."
            )
        if self._started is not None:
            return RollbackResult(None, "The service was stopped; none ran before.")
        if now is None:
            return RollbackResult.nothing_before(self._wanted.version)
        self._wait(self._running, now)
        return RollbackResult(now, f"Version {now} serves again.")

    def save_state(self) -> None:
        """The store knows what served before."""

    def close(self) -> None:
        """Nothing is kept open."""

    def _as_asked(self, running: LocalProcess) -> bool:
        asked = (self._asked.port, self._asked.workers, str(self._wanted.store))
        return (running.port, running.workers, running.store) == asked

    def _restart(self, running: LocalProcess) -> None:
        # Remembered in memory alone: there may be key digests among them.
        self._stopped = running, running.environment
        running.stop()
        self.actions.append(f"Stopped process {running.pid} on port {running.port}.")
        self._start()

    def _start(self) -> None:
        asked = self._asked
        self._started = self._begin(
            asked.port, asked.workers, str(self._wanted.store), service_environment()
        )
        self.actions.append(
            f"Started process {self._started.pid} on {self.place}; its log is {self._folder / LOG}."
        )
        self._wait(self._started, self._wanted.version)

    def _begin(self, port: int, workers: int, store: str, settings: dict[str, str]) -> LocalProcess:
        return start_process(
            self._folder,
            port=port,
            workers=workers,
            store=store,
            ledger=self._wanted.ledger,
            environment=settings,
        )

    def _wait(self, process: LocalProcess | None, version: str, port: int | None = None) -> None:
        def died() -> str | None:
            if process is None or process.alive:
                return None
            return f"The service on port {process.port} has ended: {exit_reason(self._folder)}"

        wait_until_serving(
            f"http://{HOST}:{port or self._asked.port}",
            self.probe,
            version,
            seconds=self._wanted.settings.smoke.wait_seconds,
            key=self._wanted.key,
            died=died,
        )

    def _following(self) -> str:
        return f"A service that somebody else started on {self.place} follows the store."

    def _is_of_this_store(self) -> bool:
        """Whether what listens there serves what this store has, or had, in production."""
        headers = {"X-API-Key": self._wanted.key} if self._wanted.key else {}
        try:
            answer = httpx.get(
                f"{self.place}/metadata", headers=headers, timeout=_PROBE_SECONDS, trust_env=False
            )
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise InputError(
                    f"The service on {self.place} asks for an API key; set "
                    f"{self._wanted.settings.smoke.key_variable} to one that it lets in."
                )
            return answer.json()["bundle_sha256"] in published_digests(self._wanted.store)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
