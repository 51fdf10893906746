"""Checks a run's input before anything is started, so that errors are reported at once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from churn.contract import DataContract, load_contract
from churn.contract.names import listed
from churn.data import Dataset, acquire
from churn.data.intake.address import is_on_this_machine, is_url, public
from churn.data.intake.header import name_file
from churn.errors import BundleError, InputError
from churn.profile import DEMO
from churn.root import ROOT
from churn.settings.features import FeaturesSettings
from churn.settings.pipelines import (
    ContractSettings,
    DataSettings,
    DeploymentSettings,
    PromotionPipelineSettings,
    TrainingSettings,
)
from stacks.kubernetes.resources import runs_in_pods
from stacks.placeholders import PlaceholderFiller
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
        contract_digest: Digest of the contract's content, and of how it has tables read.
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
    return read_table(settings, root=root, downloads=downloads, on_bytes=on_bytes)[0]


def source_location(source: str) -> str:
    """Where the table of `data.source` lies: `bundled`, an absolute path, or an address."""
    if source == "bundled" or is_url(source):
        return source
    return str(Path(source).expanduser().absolute())


def read_table(
    settings: DataSettings, *, root: Path, downloads: Path, on_bytes: OnBytes | None = None
) -> tuple[TableInput, Dataset]:
    """As `check_table`; returns the table, too."""
    contract_path = root / settings.contract
    contract = load_contract(contract_path)
    if contract.unconfirmed:
        _warn(_unconfirmed(contract, settings))
    location = source_location(settings.source)
    try:
        dataset = acquire(
            location,
            contract,
            root=root,
            sha256=settings.sha256,
            cache=downloads,
            on_progress=on_bytes,
        )
    except InputError as error:
        raise InputError(name_file(str(error), contract, settings.contract)) from None
    _require_telling_columns(dataset)
    table = TableInput(
        location=location,
        contract_path=_within(root, contract_path),
        contract_digest=contract.table_digest(),
        sha256=settings.sha256,
        fingerprint=dataset.source.sha256,
    )
    return table, dataset


def _warn(sentence: str) -> None:
    _LOG.warning(sentence, extra={"step": "contract", "event": "warned"})


def _unconfirmed(contract: DataContract, settings: ContractSettings) -> str:
    count = len(contract.unconfirmed)
    return (
        f"nobody has confirmed {count} guess{'es' if count > 1 else ''}; "
        f"`python run.py contract check {settings.contract}` lists them"
    )


def _require_telling_columns(dataset: Dataset) -> None:
    """Refuses columns that are the target in other words; warns of those with one value.

    Raises:
        InputError: a column is the target in other words.
    """
    from churn.exploration.data_findings import constant_columns, target_copies

    frame, contract = dataset.frame, dataset.contract
    copies = [column.name for column in target_copies(frame, contract)]
    if copies:
        raise InputError(
            f"Column {listed(copies)}: each value has one outcome of '{contract.target.name}' alone, so "
            "it is the target in other words and not known beforehand. Move it from columns to "
            f"left_out in contract '{contract.name}', with the reason."
        )
    constant = [column.name for column in constant_columns(frame, contract)]
    if constant:
        _warn(
            f"one value in every row of {listed(constant)}, which tells nobody apart; left_out in the "
            "contract takes it out"
        )


def require_confirmed(settings: PromotionPipelineSettings, _spec: StackSpec) -> None:
    """Refuses to promote under a contract whose guesses nobody has confirmed; a demonstration may.

    Raises:
        InputError: guesses stand.
    """
    contract = load_contract(ROOT / settings.data.contract)
    if not contract.unconfirmed:
        return
    if settings.profile == DEMO:
        _warn(_unconfirmed(contract, settings.data))
        return
    first = contract.unconfirmed[0]
    raise InputError(
        f"In contract {settings.data.contract} {_unconfirmed(contract, settings.data)}. The first is "
        f"about column '{first.name}': {first.confirm.rstrip('.?')}? Answer each and delete its "
        "`confirm`; if nothing else changes, the trained version stays as it is."
    )


def require_contract_in_production(settings: TrainingSettings, bundles: str) -> None:
    """Refuses to train what could never replace the version in production.

    A store that cannot be read from here is left to promotion, which compares the same.

    Raises:
        InputError: the version in production was trained under another contract.
    """
    from churn.promotion.evidence_gates import contract_gate
    from churn.scoring.bundle import address, contract_in_production, store_of_model

    model, contract = settings.model.name, load_contract(ROOT / settings.data.contract)
    try:
        champion = contract_in_production(store_of_model(address(bundles), model))
    except BundleError:
        return
    if champion is None or contract_gate(contract, champion).verdict == "pass":
        return
    columns = " with other columns" if champion.name == contract.name else ""
    raise InputError(
        f"The version of '{model}' in production was trained under the data contract "
        f"'{champion.name}' version {champion.version}, and this training's is '{contract.name}' version "
        f"{contract.version}{columns}: models of two contracts cannot be compared, so this one could "
        "never replace it. Train it under a model name of its own, with --set model.name=NAME."
    )


def require_portable(settings: DataSettings, *, root: Path, stack: str) -> None:
    """Refuses input that only this machine has, for a stack whose steps run elsewhere.

    Raises:
        InputError: a step could not read it.
    """
    source = settings.source
    if source != "bundled" and is_on_this_machine(source):
        raise InputError(
            f"Stack '{stack}' runs its steps in containers, which cannot read {public(source)} of this "
            "machine; name a bucket (s3://…), a database on a server or an https:// address with "
            "data.sha256, or take the bundled table."
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


def require_portable_features(settings: FeaturesSettings, spec: StackSpec) -> None:
    """Checks that steps in containers can read the table, and that what they write outlives them.

    Raises:
        InputError: only this machine, or one container, has one of them.
    """
    if not runs_in_pods(spec):
        return
    if settings.reads_table:
        require_portable(settings.data, root=ROOT, stack=spec.name)
    if settings.store.feast:
        raise InputError(
            f"Stack '{spec.name}' runs its steps in containers, and a Feast repository goes away with "
            "them. Leave store.feast out there; another stack may register the same bucket's features."
        )
    features, online = spec.places.features, settings.store.online or spec.places.online
    # Variables that are not set are reported when the stack is applied.
    fill = PlaceholderFiller(spec.name, {}, os.environ).fill
    for name, given in (("places.features", features or "file:"), ("store.online", online)):
        place = fill(given or "")
        if place and ("://" not in place or place.startswith(("file:", "sqlite:"))):
            raise InputError(
                f"Stack '{spec.name}' runs its steps in containers, and {name} names a file, which goes "
                "away with the container. Name a bucket or a server."
            )


def require_zenml_deployer(settings: DeploymentSettings, spec: StackSpec) -> None:
    """Checks that the stack has a deployer if ZenML is to deploy.

    Raises:
        InputError: it has none.
    """
    if settings.target == "zenml" and settings.action == "deploy":
        from runner.zenml_deployment import require_deployer

        require_deployer(spec)
