"""A bundle's files against its manifest: all there, none besides, each as it was written."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from churn.contract import DataContract
from churn.errors import BundleError, error_reason
from churn.frozen_model import first_fault
from churn.plain_files import read_json, read_plain, special_kind
from churn.scoring.manifest import (
    CONTRACT,
    GOLDEN,
    MANIFEST,
    MODEL,
    MODEL_CARD,
    REFERENCE,
    FileFacts,
    Manifest,
    read_manifest,
)

_NEEDED = (CONTRACT, REFERENCE, GOLDEN, f"{MODEL}/{MANIFEST}")
_MOST_BYTES = 256 * 2**20
_KNOWN = {CONTRACT, REFERENCE, GOLDEN, MODEL_CARD}


def verify_bundle(folder: Path, digest: str | None = None) -> Manifest:
    """Verifies a bundle without loading its model, and returns its manifest.

    Args:
        folder: the bundle's.
        digest: SHA-256 that its manifest must have; None for any.

    Raises:
        BundleError: the folder is no bundle, of another format, or not as it was written; the
            sentence names the file.
    """
    found = list(_files(folder))
    manifest = read_manifest(folder, digest)
    for name in manifest.files:
        _require_within(folder, name)
    for name in _NEEDED:
        if name not in manifest.files:
            raise BundleError(
                f"The bundle {folder} is not whole: its {MANIFEST} does not list {name}. Write the "
                "bundle anew."
            )
    for name in found:
        if name != MANIFEST and name not in manifest.files:
            raise BundleError(
                f"The bundle {folder} holds {name}, which its {MANIFEST} does not list. Remove the "
                "file, or write the bundle anew."
            )
    if sum(facts.size for facts in manifest.files.values()) > _MOST_BYTES:
        raise BundleError(
            f"The bundle {folder} is larger than the {_MOST_BYTES:,} bytes that a bundle may have. "
            "Train a smaller model."
        )
    for name, facts in manifest.files.items():
        _require_unchanged(folder, name, facts)
    _require_contract(folder, manifest)
    return manifest


def read_contract(folder: Path) -> DataContract:
    """The contract of a verified bundle.

    Raises:
        BundleError: it does not parse.
    """
    try:
        return DataContract.model_validate(read_json(folder / CONTRACT))
    except ValidationError as error:
        reason = f"it is {first_fault(error)}"
    except (OSError, ValueError, RecursionError) as error:
        reason = error_reason(error)
    raise BundleError(
        f"The bundle {folder} has a {CONTRACT} that cannot be read: {reason}. Write the bundle anew."
    )


def _require_contract(folder: Path, manifest: Manifest) -> None:
    if read_contract(folder).digest() != manifest.contract.digest:
        raise BundleError(
            f"The bundle {folder} has a {CONTRACT} that is not the one its {MANIFEST} names. Write "
            "the bundle anew."
        )


def _require_within(folder: Path, name: str) -> None:
    """A listed path is plain, relative, and one that a bundle can have."""
    path = PurePosixPath(name)
    plain = name == path.as_posix() and "\\" not in name and "\0" not in name
    if not plain or path.is_absolute() or {"..", "."} & set(path.parts):
        raise BundleError(
            f"The bundle {folder} lists the file {name!r}, which leads out of its folder or is not "
            "plainly spelt. Do not use it; write the bundle anew."
        )
    if name not in _KNOWN and path.parts[0] != MODEL:
        raise BundleError(
            f"The bundle {folder} lists the file {name!r}, which is no part of a bundle. Write the "
            "bundle anew."
        )


def _files(folder: Path) -> Iterator[str]:
    """Every file below the folder, sorted; refuses links, pipes, sockets and devices.

    None is opened before, as to open a pipe waits for its other end.
    """
    for where, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted([*inner, *names]):
            path = Path(where) / name
            mode = path.lstat().st_mode
            if (kind := special_kind(mode)) and not stat.S_ISDIR(mode):
                raise BundleError(
                    f"The bundle {folder} holds the {kind} {path.relative_to(folder)}; a bundle has "
                    "files only. Copy the file itself there, or write the bundle anew."
                )
        for name in sorted(names):
            yield (Path(where) / name).relative_to(folder).as_posix()


def _require_unchanged(folder: Path, name: str, facts: FileFacts) -> None:
    path = folder / name
    size, digest = None, ""
    with suppress(OSError):
        size = path.stat().st_size
        if size == facts.size:
            digest = hashlib.sha256(read_plain(path, size)).hexdigest()
    if size is None:
        what = "is missing"
    elif size != facts.size:
        what = f"has {size:,} bytes, not {facts.size:,}"
    elif digest != facts.sha256:
        what = "is not as it was written (SHA-256 differs)"
    else:
        return
    raise BundleError(
        f"The bundle {folder} is corrupt: {name} {what}. Restore the folder from where it was "
        "copied, or write it anew."
    )
