"""The version that a batch is scored by: the one that is asked for, or the one in production."""

from __future__ import annotations

from dataclasses import dataclass

from churn.errors import InputError
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder, has_bundle, history
from churn.scoring.manifest import manifest_digest
from churn.scoring.refusal import refusing
from churn.scoring.remote import local_copy
from churn.scoring.risk_bands import Bands
from churn.scoring.scorer import Scorer


@dataclass(frozen=True)
class ChosenVersion:
    """A version of a store.

    Attributes:
        version: its name.
        digest: SHA-256 of its bundle's manifest.
        in_production: whether the store's pointer names it.
    """

    version: str
    digest: str
    in_production: bool


def choose_version(store: Address, model: str, version: str = "") -> ChosenVersion:
    """Returns a version of a store; without a name, the one in production.

    Raises:
        InputError: nothing is in production, or the store has no such version.
        BundleError: the store cannot be read.
    """
    past = history(store)
    current = past[-1] if past else None
    if current is not None and version in ("", current.version):
        return ChosenVersion(current.version, current.digest, in_production=True)
    if not version:
        raise InputError(
            f"Model '{model}' has nothing in production in {store}; promote a version with run.py "
            "--pipeline promotion first, or name one with --set version=NAME."
        )
    if not has_bundle(store, version):
        raise InputError(
            f"The store {store} has no bundle of version {version!r}; name one that a promotion has "
            "published, or leave the version out for the one in production."
        )
    with local_copy(bundle_folder(store, version)) as folder:
        return ChosenVersion(version, manifest_digest(folder), in_production=False)


def load_scorer(store: Address, version: str, digest: str) -> tuple[Scorer, Bands]:
    """A version as it was chosen, verified.

    Raises:
        BundleError: it is gone, is another by now, or is not fit to be used.
    """
    with local_copy(bundle_folder(store, version)) as folder, refusing(folder):
        scorer = Scorer.load_version(folder, version, digest)
        return scorer, Bands.read(folder, scorer.threshold)
