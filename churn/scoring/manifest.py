"""What a bundle says of itself: where its model comes from, and the checksum of every file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, ValidationError

from churn.errors import BundleError, error_reason
from churn.frozen_model import FrozenModel, first_fault
from churn.models.recalibrated import LogitMap
from churn.plain_files import DOCUMENT_BYTES, read_plain

MANIFEST = "manifest.json"
CONTRACT = "contract.json"
REFERENCE = "reference.npz"
GOLDEN = "golden.json"
MODEL_CARD = "MODEL_CARD.md"
MODEL = "model"

FORMAT: Final = "churn-bundle"
FORMAT_VERSION: Final = 1

VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]


class _Part(FrozenModel):
    model_config = ConfigDict(allow_inf_nan=False)


class ModelFacts(_Part):
    """The model of a bundle.

    Attributes:
        name: name of the model, whatever its version.
        version: version of this model; the name of its folder in a store.
        recipe: name of the recipe that trained it.
        kind: kind of its files.
        settings: settings of the recipe.
        rows: number of rows it was trained on.
        recalibration: the line on the log-odds that is part of the model; None where there is none,
            as in every bundle of release 0.1.0.
        profile: profile of the training, which says how it was measured; None where it was not
            recorded.
    """

    name: Text
    version: str = Field(pattern=VERSION_PATTERN)
    recipe: Text
    kind: Text
    settings: dict[str, Any]
    rows: int = Field(ge=1)
    # Left out where there is none, so that earlier releases read what needs nothing new.
    recalibration: LogitMap | None = Field(default=None, exclude_if=lambda value: value is None)
    profile: Text | None = None


class ContractFacts(_Part):
    """The data contract of a bundle.

    Attributes:
        name: name of the contract.
        version: version of the contract.
        digest: SHA-256 of its content, whatever the layout of its file.
    """

    name: Text
    version: int
    digest: Sha256


class Threshold(_Part):
    """Decision threshold of a bundle.

    Attributes:
        value: the probability.
        basis: how it was chosen, in words.
    """

    value: float = Field(ge=0, le=1)
    basis: Text


class FileFacts(_Part):
    """One file of a bundle.

    Attributes:
        sha256: SHA-256 of its bytes.
        size: in bytes.
    """

    sha256: Sha256
    size: int = Field(ge=0)


class Manifest(_Part):
    """A bundle's manifest.

    Attributes:
        format: always `churn-bundle`.
        format_version: format version of the layout.
        model: what scores.
        contract: what the fields mean.
        data_sha256: SHA-256 of the source that the training rows came from.
        git_commit: git commit of the code that trained it, and whether files differed from it; None
            if unknown.
        created: when the model was trained, UTC; when the bundle was written, if that is unknown.
        libraries: library -> version it was written with.
        threshold: probability from which the decision is positive.
        metrics: as measured, with whatever the caller says of them.
        files: path below the folder -> what it holds; every file but the manifest.
    """

    format: Literal["churn-bundle"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    model: ModelFacts
    contract: ContractFacts
    data_sha256: Sha256
    git_commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}( with changes)?$")] | None
    created: AwareDatetime
    libraries: dict[str, str]
    threshold: Threshold
    metrics: dict[str, Any]
    files: Annotated[dict[str, FileFacts], Field(min_length=1)]

    def text(self) -> str:
        """The manifest's file: its fields, and a seal over them."""
        content = self.model_dump(mode="json")
        complete = content | {"seal": manifest_checksum(content)}
        return json.dumps(complete, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_manifest(folder: Path, digest: str | None = None) -> Manifest:
    """Reads and verifies a bundle's manifest, not yet its files.

    Args:
        folder: the bundle's.
        digest: SHA-256 that the manifest must have; None for any.

    Raises:
        BundleError: it is missing, torn, changed, another one, of another format, or not valid.
    """
    text = _bytes(folder)
    if digest is not None and hashlib.sha256(text).hexdigest() != digest:
        raise BundleError(
            f"The bundle {folder} is not the one that was published: its manifest has another "
            "SHA-256. Restore the folder, or roll back."
        )
    content = _content(folder, text)
    found = content.get("format"), content.get("format_version")
    if found != (FORMAT, FORMAT_VERSION):
        raise BundleError(
            f"The bundle {folder} has format {found[0]} version {found[1]}; this code reads "
            f"{FORMAT} version {FORMAT_VERSION}. Serve it with the version that wrote it, or "
            "write it anew."
        )
    seal = content.pop("seal", None)
    if seal != manifest_checksum(content):
        raise BundleError(
            f"The bundle {folder} is corrupt: {MANIFEST} is not as it was written. Restore the "
            "folder from where it was copied, or write it anew."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise BundleError(
            f"The bundle {folder} has a {MANIFEST} that is {first_fault(error)}. Write the bundle anew."
        ) from None


def manifest_digest(folder: Path) -> str:
    """SHA-256 of the manifest, and so of the whole bundle: it lists every other file's.

    Raises:
        BundleError: there is none.
    """
    return hashlib.sha256(_bytes(folder)).hexdigest()


def _bytes(folder: Path) -> bytes:
    try:
        return read_plain(folder / MANIFEST, DOCUMENT_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise _absent(folder) from None
    except OSError as error:
        raise _unreadable(folder, error_reason(error)) from None


def _content(folder: Path, text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _unreadable(folder, "it is no JSON object")
    return content


def _unreadable(folder: Path, reason: str) -> BundleError:
    return BundleError(
        f"The bundle {folder} is corrupt: {MANIFEST} cannot be read as JSON ({reason}). Restore the "
        "folder from where it was copied, or write it anew."
    )


def _absent(folder: Path) -> BundleError:
    return BundleError(
        f"The folder {folder} holds no bundle: it has no {MANIFEST}. Name the folder that a bundle "
        "was written to."
    )


def manifest_checksum(content: dict[str, Any]) -> str:
    """Checksum over a manifest's fields, stored under `seal`."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
