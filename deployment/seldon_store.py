"""Publishes a version where Seldon reads it: a bundle store for Core 1, MLServer models for Core 2."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from churn.durable import TakenError
from churn.errors import BundleError, InputError
from churn.scoring.address import file_system, unwritable
from churn.scoring.bundle import address, bundle_folder, publish
from churn.scoring.bundle.upload import new_bundle, upload_bundle
from churn.scoring.manifest import manifest_digest
from churn.scoring.remote import local_copy
from churn.scratch import scratch_folder
from deployment.subprocesses import Program
from deployment.target import DeployRequest

_BUNDLE = "bundle"


def require_uri(uri: str) -> None:
    """Raises InputError if the settings name no place that pods can read, too."""
    if not uri:
        raise InputError(
            "Seldon's pods need the address of the bundles; name it with --set "
            "seldon.bundle_uri=s3://BUCKET/PREFIX."
        )


def publish_bundle(request: DeployRequest, uri: str) -> str:
    """Copies the bundle into another store and publishes it there; returns what was done.

    Raises:
        BundleError: the store has another bundle of that version, or cannot be written to.
    """
    target = address(uri)
    if str(target) != str(request.store):
        place = bundle_folder(target, request.version)
        with local_copy(bundle_folder(request.store, request.version)) as folder:
            try:
                with new_bundle(place) as unfinished:
                    shutil.copytree(folder, unfinished, dirs_exist_ok=True)
            except TakenError:
                _require_same(folder, place)
            except OSError as error:
                raise _cannot_write(f"The store {uri}", error) from None
    publish(target, request.version)
    return f"Version {request.version} is published in {uri}."


def publish_mlserver_model(request: DeployRequest, uri: str) -> str:
    """Packs the bundle as a model folder of MLServer, and copies it to where Core 2 reads it.

    Raises:
        ChurnError: it cannot be packed.
        BundleError: the place has another bundle of that version, or cannot be written to.
    """
    target = address(uri)
    with scratch_folder("seldon") as folder:
        packed = _pack(request, folder)
        if isinstance(target, Path):
            _copy(packed, target / request.version)
        else:
            _upload(packed, f"{target}/{request.version}")
    return f"Version {request.version} lies packed in {uri}/{request.version}."


def _pack(request: DeployRequest, folder: Path) -> Path:
    store, out = folder / "store", folder / "out"
    with local_copy(bundle_folder(request.store, request.version)) as bundle:
        shutil.copytree(bundle, bundle_folder(store, request.version))
    arguments = ("--store", str(store), "--version", request.version, "--out", str(out))
    Program(sys.executable, "-m", "service.seldon.package").run(*arguments)
    return out / request.version


def _copy(packed: Path, place: Path) -> None:
    if place.exists():
        _require_same(packed / _BUNDLE, place / _BUNDLE)
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=place.parent) as folder:
            unfinished = Path(folder) / place.name
            shutil.copytree(packed, unfinished)
            unfinished.rename(place)
    except OSError as error:
        raise _cannot_write(str(place.parent), error) from None


def _upload(packed: Path, uri: str) -> None:
    """Uploads MLServer's settings first: the manifest, which completes the bundle, comes last."""
    try:
        system, root = file_system(uri)
        for path in sorted(packed.glob("*.json")):
            system.pipe_file(f"{root}/{path.name}", path.read_bytes())
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unwritable(uri, error) from None
    try:
        upload_bundle(packed / _BUNDLE, f"{uri}/{_BUNDLE}")
    except TakenError:
        _require_same(packed / _BUNDLE, f"{uri}/{_BUNDLE}")


def _require_same(ours: Path, place: Any) -> None:
    with local_copy(place) as theirs:
        if manifest_digest(theirs) != manifest_digest(ours):
            raise BundleError(
                f"{place} holds another bundle of that version; remove it, or name another place with "
                "--set seldon.bundle_uri=URI."
            )


def _cannot_write(where: str, error: OSError) -> BundleError:
    return BundleError(
        f"{where} cannot be written to: {error.strerror or error}. Name another place with --set "
        "seldon.bundle_uri=URI."
    )
