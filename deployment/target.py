"""What every target can do; each is a module of its own beside this one."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from churn.deployment.protocols import Speech
from churn.scoring.address import Address
from churn.settings.pipelines import DeploymentSettings


@dataclass(frozen=True)
class Wanted:
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
class Undone:
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
class Manner:
    """How a target is asked.

    Attributes:
        ready: path that tells whether it can be asked.
        tells_version: whether that path's answer is our service's own, with the versions in it.
        speeches: ways to ask about customers; all of them are tried.
        headers: that go with each request.
        steady: how many times in a row it must be ready, each over a connection of its own.
        lag: seconds that the former version may still answer where only answers tell which one
            does; None allows as long as the start may take.
    """

    ready: str
    tells_version: bool
    speeches: tuple[Speech, ...]
    headers: tuple[tuple[str, str], ...] = ()
    steady: int = 1
    lag: float | None = None


class Target(Protocol):
    """Where a version is served.

    Attributes:
        place: its address, for people.
        actions: what was done so far, in order.
        manifests: what a cluster is told; empty for other targets.
        changed: whether anything was; until then there is nothing to take back.
        manner: how it is asked.
    """

    place: str
    actions: list[str]
    manifests: str
    changed: bool

    @property
    def manner(self) -> Manner:
        """How it is asked."""
        ...

    def require_able(self) -> None:
        """Looks whether it can be deployed to; changes nothing.

        Raises:
            InputError: something that the caller must provide is missing.
            ChurnError: something does not answer.
        """
        ...

    def describe(self) -> tuple[str, ...]:
        """What would be done, in order."""
        ...

    def start_or_refresh(self) -> None:
        """Publishes the version to where the target reads it, and starts or refreshes the target.

        Raises:
            ChurnError: it does not come to serve the version.
        """
        ...

    def address(self) -> AbstractContextManager[str]:
        """The base URL, for as long as the block lasts."""
        ...

    def undo(self, *, judged: bool) -> Undone:
        """Takes back what was done, so that what served before serves again.

        Args:
            judged: whether the version was asked and answered wrongly; then it is taken from where
                it was published even if somebody else had published it.

        Raises:
            ChurnError: that cannot be done.
        """
        ...

    def keep(self) -> None:
        """Remembers what passed, where a later deployment could not find it out."""
        ...

    def close(self) -> None:
        """Lets go of what was only needed meanwhile."""
        ...
