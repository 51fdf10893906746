"""Interface of the deployment targets; each target is a module of its own beside this one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from churn.scoring.address import Address
from churn.settings.pipelines import DeploymentSettings
from deployment.readiness import ProbeSpec, wait_until_serving
from deployment.store import SharedStore
from deployment.subprocesses import Program


@dataclass(frozen=True)
class DeployRequest:
    """What to serve.

    Attributes:
        model: Name on the Model Control Plane.
        version: Version of the model.
        store: Bundle store that promotion publishes to.
        ledger: SQLAlchemy URL of the ledger that our own service writes to.
        state: Folder for what a target keeps on this machine.
        settings: Settings of the deployment pipeline.
        key: API key for the smoke test; None where there is none.
    """

    model: str
    version: str
    store: Address
    ledger: str
    state: Path
    settings: DeploymentSettings
    key: str | None


@dataclass(frozen=True)
class RollbackResult:
    """What serves after a rollback.

    Attributes:
        serving: The version; None where none serves, or where that is not known.
        sentence: The same in a sentence.
    """

    serving: str | None
    sentence: str

    @classmethod
    def first_version(cls, version: str) -> Self:
        """Returns the result for a version that has no version before it: it serves on."""
        return cls(version, f"Version {version} serves on: there is none before it to go back to.")

    @classmethod
    def serves_again(cls, version: str) -> Self:
        """Returns the result for a target that is back on the version before."""
        return cls(version, f"Version {version} serves again.")

    @classmethod
    def not_yet(cls, version: str) -> Self:
        """Returns the result for a version in production that the target does not serve in time."""
        return cls(
            None, f"Version {version} stays in production; this target does not serve it yet."
        )


class Target(ABC):
    """Place where a version is served.

    Attributes:
        place: Its address, for people.
        actions: What was done so far, in order.
        manifests: YAML that is applied to a cluster; empty for other targets.
        changed: Whether anything was changed; until then there is nothing to roll back.
    """

    place: str

    def __init__(self, request: DeployRequest) -> None:
        self.request = request
        self.actions: list[str] = []
        self.manifests = ""
        self.changed = False

    @property
    @abstractmethod
    def probe(self) -> ProbeSpec:
        """How its readiness and its predictions are requested."""

    @abstractmethod
    def check_prerequisites(self) -> None:
        """Checks whether a deployment is possible; changes nothing.

        Raises:
            InputError: something that the caller must provide is missing.
            ChurnError: something does not answer.
        """

    @abstractmethod
    def planned_actions(self) -> tuple[str, ...]:
        """Returns what `deploy` would do, in order."""

    @abstractmethod
    def deploy(self) -> None:
        """Publishes the version where the target reads it, and starts or refreshes the target.

        Raises:
            ChurnError: the target does not serve the version in time.
        """

    @abstractmethod
    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Reverts what was done, so that the version before serves again.

        Args:
            smoke_failed: Whether the version answered, and answered wrongly; then it is withdrawn
                from the store even if somebody else published it there.

        Raises:
            ChurnError: the rollback failed.
        """

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """Yields the base URL, for as long as the block lasts; `place` unless overridden."""
        yield self.place

    def save_state(self) -> None:  # noqa: B027 - most targets have nothing to save
        """Saves what passed, where a later deployment could not read it from the target."""

    def close(self) -> None:  # noqa: B027 - most targets hold nothing open
        """Releases what was only needed during the deployment."""

    def publish(self, store: SharedStore) -> None:
        """Points the store to the version, and notes it among the actions."""
        self.actions.append(store.publish())
        self.changed = True

    def run(self, program: Program, *arguments: str) -> None:
        """Runs a command that must succeed, and notes it among the actions."""
        self.actions.append(program.command_line(*arguments))
        program.run(*arguments)

    def wait(self, version: str, *, died: Callable[[], str | None] = lambda: None) -> None:
        """Waits until the target serves a version, `smoke.wait_seconds` at most.

        Args:
            version: Version that must serve.
            died: Returns why there is nothing left to wait for; None as long as there is.

        Raises:
            ChurnError: it does not serve the version in time.
        """
        wait_until_serving(
            self.place,
            self.probe,
            version,
            seconds=self.request.settings.smoke.wait_seconds,
            key=self.request.key,
            died=died,
        )
