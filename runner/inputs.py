"""Checks a run's input before anything is started, so that errors are reported at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from churn.contract import load_contract
from churn.data import acquire
from churn.errors import InputError
from churn.root import ROOT
from churn.settings.pipelines import DataSettings, DeploymentSettings, TrainingSettings
from stacks.kubernetes.resources import runs_in_pods
from stacks.spec import StackSpec

_LOG = logging.getLogger("churn.progress")
OnBytes = Callable[[int, int | None], None]


@dataclass(frozen=True)
class TableInput:
    """A table that was read and parsed once; a step can rely on it.

    Attributes:
        location: `bundled`, an absolute path, or an address.
        contract_path: Path of the contract; relative to the project if it lies inside, because a
            step may run in an image, where the project lies elsewhere.
        contract_digest: Digest of the contract's content.
        sha256: Checksum from the settings; None if they have none.
        fingerprint: SHA-256 of the bytes that were read.
    """

    location: str
    contract_path: str
    contract_digest: str
    sha256: str | None
    fingerprint: str


def check_table(
    settings: DataSettings, *, root: Path, downloads: Path, on_bytes: OnBytes | None = None
) -> TableInput:
    """Fetches, reads and parses the table once.

    Raises:
        InputError: the contract, the source or the table is at fault.
    """
    contract_path = root / settings.contract
    contract = load_contract(contract_path)
    guesses = sum(bool(column.confirm) for column in contract.columns)
    if guesses:
        sentence = (
            f"nobody has confirmed {guesses} guess{'es' if guesses > 1 else ''}; "
            f"`python run.py contract check {settings.contract}` lists them"
        )
        _LOG.warning(sentence, extra={"step": "contract", "event": "warned"})
    location = settings.source
    if location != "bundled" and "://" not in location:
        location = str(Path(location).expanduser().absolute())
    dataset = acquire(
        location, contract, root=root, sha256=settings.sha256, cache=downloads, on_progress=on_bytes
    )
    return TableInput(
        location=location,
        contract_path=_within(root, contract_path),
        contract_digest=contract.digest(),
        sha256=settings.sha256,
        fingerprint=dataset.source.sha256,
    )


def require_portable(settings: DataSettings, *, root: Path, stack: str) -> None:
    """Refuses input that only this machine has, for a stack whose steps run elsewhere.

    Raises:
        InputError: a step could not read it.
    """
    source = settings.source
    if source != "bundled" and not source.startswith("https://"):
        raise InputError(
            f"Stack '{stack}' runs its steps in containers, which cannot read {source} of this "
            "machine; upload it and give its https:// address (a bucket's presigned one will do) "
            "with data.sha256, or take the bundled table."
        )
    contract = root / settings.contract
    if Path(_within(root, contract)).is_absolute():
        raise InputError(
            f"Stack '{stack}' runs its steps in containers, which cannot read the contract {contract} "
            "of this machine; put it into data/contracts/ and build the image anew."
        )


def _within(root: Path, path: Path) -> str:
    """Returns the path relative to the root if it lies below it, else unchanged."""
    whole, root = path.resolve(), root.resolve()
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(path)


def require_portable_table(settings: TrainingSettings, spec: StackSpec) -> None:
    """Checks that steps in containers can read the table and its contract.

    Raises:
        InputError: only this machine has one of them.
    """
    if runs_in_pods(spec):
        require_portable(settings.data, root=ROOT, stack=spec.name)


def require_zenml_deployer(settings: DeploymentSettings, spec: StackSpec) -> None:
    """Checks that the stack has a deployer if ZenML is to deploy.

    Raises:
        InputError: it has none.
    """
    if settings.target == "zenml" and settings.action == "deploy":
        from runner.zenml_deployment import require_deployer

        require_deployer(spec)
