"""The bundle of the version to deploy: verified, and written from its artifacts where missing."""

from pathlib import Path

from churn.contract import DataContract
from churn.errors import BundleError, InputError
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.manifest import MANIFEST, manifest_digest
from churn.scoring.remote import local_copy
from churn.scoring.scorer import Scorer
from churn.scoring.verify import read_contract
from deployment.target import DeployRequest
from registry.versions import find_version, write_version_bundle


def ensure_bundle(request: DeployRequest) -> tuple[tuple[GoldenRow, ...], DataContract]:
    """Writes the version's bundle where it is missing, verifies it, and reads its golden rows.

    Raises:
        BundleError: the bundle cannot be served.
        InputError: it is missing, and so are the artifacts that it is written from.
    """
    place = bundle_folder(request.store, request.version)
    if not bundle_exists(request):
        _write(request, place)
    with local_copy(place) as folder:
        Scorer.load(folder)
        return read_golden(folder), read_contract(folder)


def bundle_exists(request: DeployRequest) -> bool:
    """Whether the store has a bundle of the version, valid or not."""
    place = bundle_folder(request.store, request.version)
    if isinstance(place, Path):
        return (place / MANIFEST).is_file()
    try:
        with local_copy(place) as folder:
            return (folder / MANIFEST).is_file()
    except BundleError:
        return False


def bundle_digest(request: DeployRequest) -> str:
    """Returns the SHA-256 of the bundle's manifest, which holds the checksum of every file."""
    with local_copy(bundle_folder(request.store, request.version)) as folder:
        return manifest_digest(folder)


def _write(request: DeployRequest, place: Address) -> None:
    version = find_version(request.model, request.version)
    if version is None:
        raise InputError(
            f"Version {request.version} of '{request.model}' is gone; nothing changed."
        )
    write_version_bundle(version, place)
