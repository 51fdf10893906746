"""The store that promotion publishes to, as a target sees it: bundle there, pointer on it, or back."""

from pathlib import Path

from churn.contract import DataContract
from churn.errors import BundleError, InputError
from churn.evaluation.model_threshold import model_threshold
from churn.scoring.address import Address
from churn.scoring.bundle import (
    Threshold,
    bundle_folder,
    current,
    history,
    publish,
    roll_back,
    write_bundle,
)
from churn.scoring.golden import GoldenRow, read_golden
from churn.scoring.manifest import MANIFEST, manifest_digest
from churn.scoring.remote import local_copy
from churn.scoring.scorer import Scorer
from churn.scoring.verify import read_contract
from deployment.target import DeployRequest
from registry.versions import find_version, load_trained_version

_FIGURES = ("protocol", "gate_rows")


class SharedStore:
    """The store, moved forth and back for one version.

    Attributes:
        moved: whether the pointer was moved here.
    """

    def __init__(self, store: Address, version: str) -> None:
        """Touches nothing yet."""
        self.store = store
        self.version = version
        self.moved = False

    @property
    def serving(self) -> str | None:
        """The version in production there; None where none is."""
        past = history(self.store)
        return past[-1].version if past else None

    def would_publish(self) -> str:
        """What `publish` would do, in words."""
        now = self.serving
        if now == self.version:
            return f"Version {self.version} is published in {self.store} already."
        was = f" instead of version {now}" if now else ""
        return f"Publish version {self.version} in {self.store}{was}."

    def publish(self) -> str:
        """Points to the version, which is verified first; says what that changed.

        Raises:
            BundleError: it is not fit to be served; nothing changed.
        """
        before = history(self.store)
        entry = publish(self.store, self.version)
        self.moved = not before or entry != before[-1]
        where = f"in {self.store}"
        if self.moved:
            was = f" instead of version {before[-1].version}" if before else ""
            return f"Published version {self.version}{was} {where}."
        return f"Version {self.version} was published {where} already; its golden rows replay."

    def put_back(self) -> str | None:
        """Points to what was in production before the version; gives it, None where nothing was."""
        if self.serving != self.version:
            return self.serving
        try:
            return roll_back(self.store).version
        except BundleError:
            # The first version, or nothing fit before it: a pointer must point somewhere.
            return None


def ensure_bundle(wanted: DeployRequest) -> tuple[tuple[GoldenRow, ...], DataContract]:
    """Writes the version's bundle where it is missing, verifies it, and reads its golden rows.

    Raises:
        BundleError: it is not fit to be served.
        InputError: it is missing, and the version's artifacts do not suffice to write it.
    """
    place = bundle_folder(wanted.store, wanted.version)
    if not bundle_exists(wanted):
        _write(wanted, place)
    with local_copy(place) as folder:
        Scorer.load(folder)
        return read_golden(folder), read_contract(folder)


def bundle_exists(wanted: DeployRequest) -> bool:
    """Whether the store has a bundle of that version, fit or not."""
    place = bundle_folder(wanted.store, wanted.version)
    if isinstance(place, Path):
        return (place / MANIFEST).is_file()
    try:
        with local_copy(place) as folder:
            return (folder / MANIFEST).is_file()
    except BundleError:
        return False


def bundle_digest(wanted: DeployRequest) -> str:
    """SHA-256 of the bundle's manifest, and so of all of it."""
    with local_copy(bundle_folder(wanted.store, wanted.version)) as folder:
        return manifest_digest(folder)


def published_digests(store: Address) -> set[str]:
    """Digests of everything that was in production there."""
    return {entry.digest for entry in history(store)}


def in_production(store: Address) -> str:
    """The digest of what is.

    Raises:
        BundleError: nothing is.
    """
    return current(store).digest


def _write(wanted: DeployRequest, place: Address) -> None:
    version = find_version(wanted.model, wanted.version)
    if version is None:
        raise InputError(f"Version {wanted.version} of '{wanted.model}' is gone; nothing changed.")
    trained = load_trained_version(version)
    write_bundle(
        place,
        trained.model,
        trained.development_columns,
        name=wanted.model,
        version=wanted.version,
        threshold=Threshold(
            value=model_threshold(trained.threshold), basis=trained.threshold.basis
        ),
        metrics={
            name: version.run_metadata[name] for name in _FIGURES if name in version.run_metadata
        },
        model_card=trained.card,
    )
