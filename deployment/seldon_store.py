"""Puts a version where Seldon reads it: a store for Core 1, MLServer's model folders for Core 2."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from churn.errors import BundleError, InputError
from churn.scoring.address import file_system, unwritable
from churn.scoring.bundle import address, bundle_folder, publish
from churn.scoring.bundle.durable import TakenError
from churn.scoring.bundle.upload import new_bundle, upload_bundle
from churn.scoring.manifest import manifest_digest
from churn.scoring.remote import local_copy
from deployment.subprocesses import Program
from deployment.target import DeployRequest

_BUNDLE = "bundle"


def publish_bundle(wanted: DeployRequest, uri: str) -> str:
    """Copies the bundle into another store and publishes it there; says what that changed.

    Raises:
        BundleError: the store has another bundle of that version, or cannot be written to.
    """
    target = address(uri)
    if str(target) != str(wanted.store):
        place = bundle_folder(target, wanted.version)
        with local_copy(bundle_folder(wanted.store, wanted.version)) as folder:
            try:
                with new_bundle(place) as room:
                    shutil.copytree(folder, room, dirs_exist_ok=True)
            except TakenError:
                _require_same(folder, place)
            except OSError as error:
                raise BundleError(
                    f"The store {uri} cannot be written to: {error.strerror or error}. Name one that "
                    "can with --set seldon.bundle_uri=URI."
                ) from None
    publish(target, wanted.version)
    return f"Version {wanted.version} is published in {uri}."


def publish_mlserver_model(wanted: DeployRequest, uri: str) -> str:
    """Packs the bundle as MLServer loads it, and puts it where Core 2 downloads it from.

    Raises:
        ChurnError: it cannot be packed.
        BundleError: the place has another bundle of that version, or cannot be written to.
    """
    target = address(uri)
    with tempfile.TemporaryDirectory(prefix="churn-seldon-") as room:
        packed = _packed(wanted, Path(room))
        if isinstance(target, Path):
            _copy(packed, target / wanted.version)
        else:
            _upload(packed, f"{target}/{wanted.version}")
    return f"Version {wanted.version} lies packed in {uri}/{wanted.version}."


def _packed(wanted: DeployRequest, room: Path) -> Path:
    store = room / "store"
    with local_copy(bundle_folder(wanted.store, wanted.version)) as folder:
        shutil.copytree(folder, bundle_folder(store, wanted.version))
    words = ("--store", str(store), "--version", wanted.version, "--out", str(room / "out"))
    Program(sys.executable, "-m", "service.seldon.package").run(*words)
    return room / "out" / wanted.version


def _copy(packed: Path, place: Path) -> None:
    if place.exists():
        _require_same(packed / _BUNDLE, place / _BUNDLE)
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=place.parent) as room:
            shutil.copytree(packed, Path(room) / place.name)
            (Path(room) / place.name).rename(place)
    except OSError as error:
        raise BundleError(
            f"{place.parent} cannot be written to: {error.strerror or error}. Name another place with "
            "--set seldon.bundle_uri=URI."
        ) from None


def _upload(packed: Path, uri: str) -> None:
    """MLServer's settings first: without the bundle's manifest, which comes last, it is no bundle."""
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


def require_uri(uri: str) -> None:
    """A place that pods can read, too.

    Raises:
        InputError: none is named.
    """
    if not uri:
        raise InputError(
            "Seldon's pods must be told where bundles lie; name it with --set "
            "seldon.bundle_uri=s3://BUCKET/PREFIX."
        )
