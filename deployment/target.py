"""What every target can do; each is a module of its own beside this one."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from churn.deployment.protocols import ScoringProtocol
from churn.scoring.address import Address
from churn.settings.pipelines import DeploymentSettings


@dataclass(frozen=True)
class DeployRequest:
    """What is to be served.

    Attributes:
        model: its name on the control plane.
        version: of it.
        store: where promotion publishes.
        ledger: address of the ledger that a service of ours writes to.
        state: folder for what a target keeps on this machine.
        settings: of the pipeline.
        key: API key to ask with; None where there is none.
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
    """What serves after a deployment was taken back.

    Attributes:
        serving: the version; None where none does.
        sentence: the same in words.
    """

    serving: str | None
    sentence: str

    @classmethod
    def nothing_before(cls, version: str) -> Self:
        """The first version serves on."""
        return cls(version, f"Version {version} serves on: there is none before it to go back to.")


@dataclass(frozen=True)
class ProbeSpec:
    """How a target is asked.

    Attributes:
        ready_path: path that tells whether it can be asked.
        reports_version: whether that path's answer is our service's own, with the versions in it.
        protocols: ways to ask about customers; all of them are tried.
        headers: that go with each request.
        consecutive: how many times in a row it must be ready, each over a connection of its own.
        swap_seconds: seconds that the former version may still answer where only answers tell which one
            does; None allows as long as the start may take.
    """

    ready_path: str
    reports_version: bool
    protocols: tuple[ScoringProtocol, ...]
    headers: tuple[tuple[str, str], ...] = ()
    consecutive: int = 1
    swap_seconds: float | None = None


class Target(Protocol):
    """Where a version is served.

    Attributes:
        place: its address, for people.
        actions: what was done so far, in order.
        manifests: what a cluster is told; empty for other targets.
        changed: whether anything was; until then there is nothing to take back.
        probe: how it is asked.
    """

    place: str
    actions: list[str]
    manifests: str
    changed: bool

    @property
    def probe(self) -> ProbeSpec:
        """How it is asked."""
        ...

    def check_prerequisites(self) -> None:
        """Looks whether it can be deployed to; changes nothing.

        Raises:
            InputError: something that the caller must provide is missing.
            ChurnError: something does not answer.
        """
        ...

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done, in order."""
        ...

    def deploy(self) -> None:
        """Publishes the version to where the target reads it, and starts or refreshes the target.

        Raises:
            ChurnError: it does not come to serve the version.
        """
        ...

    def base_url(self) -> AbstractContextManager[str]:
        """The base URL, for as long as the block lasts."""
        ...

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Takes back what was done, so that what served before serves again.

        Args:
            smoke_failed: whether the version was asked and answered wrongly; then it is taken from where
                it was published even if somebody else had published it.

        Raises:
            ChurnError: that cannot be done.
        """
        ...

    def save_state(self) -> None:
        """Remembers what passed, where a later deployment could not find it out."""
        ...

    def close(self) -> None:
        """Lets go of what was only needed meanwhile."""
        ...
