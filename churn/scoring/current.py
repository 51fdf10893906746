"""Which bundle of a store is in production, and what was before: one file, replaced atomically."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, overload

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from churn.errors import BundleError, error_reason
from churn.frozen_model import FrozenModel, first_fault
from churn.plain_files import DOCUMENT_BYTES, read_plain
from churn.profile import is_demo_model
from churn.scoring.address import Address, address, read_file
from churn.scoring.manifest import VERSION_PATTERN, Sha256

CURRENT = "current.json"
BUNDLES = "bundles"


class Published(FrozenModel):
    """A version that went into production.

    Attributes:
        version: version of the model; the name of its folder under `bundles/`.
        digest: SHA-256 of the bundle's manifest, and so of everything in it.
        at: when, UTC.
        action: whether it was published, or came back by a rollback.
        by: who approved it; None if nobody had to, or if it came back.
    """

    version: str = Field(pattern=VERSION_PATTERN)
    digest: Sha256
    at: AwareDatetime
    action: Literal["publish", "roll_back"]
    by: str | None = None

    @overload
    def folder(self, store: Path) -> Path: ...
    @overload
    def folder(self, store: str) -> str: ...
    def folder(self, store: Address) -> Address:
        """The bundle's folder, or its URI."""
        return bundle_folder(store, self.version)


class Pointer(FrozenModel):
    """The content of `current.json`; the last entry of the history is in production.

    Attributes:
        format_version: format version of the file.
        version: in production; the last entry's, for a reader's eye.
        history: everything that went into production, oldest first.
    """

    format_version: Literal[1] = 1
    version: str
    history: Annotated[tuple[Published, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _agreeing(self) -> Pointer:
        if self.version != self.history[-1].version:
            raise ValueError("its version is not the last of its history")
        return self


@overload
def bundle_folder(store: Path, version: str) -> Path: ...
@overload
def bundle_folder(store: str, version: str) -> str: ...
def bundle_folder(store: Address, version: str) -> Address:
    """Where a store keeps a version: in a folder of a folder, below the URI of a URI."""
    if isinstance(store, str):
        return f"{store.rstrip('/')}/{BUNDLES}/{version}"
    return store / BUNDLES / version


def local_stores(production: Path) -> tuple[Path, ...]:
    """The stores of a folder that have a version in production; demonstrations are none.

    Release 0.1.0 kept its only store in the folder itself.
    """
    pointers = (production / CURRENT, *sorted(production.glob(f"*/{CURRENT}")))
    return tuple(
        each.parent for each in pointers if each.is_file() and not is_demo_model(each.parent.name)
    )


def several_stores(stores: Sequence[Path], options: str) -> str:
    """What is said where several models have a version in production and none was chosen.

    Args:
        stores: Their stores.
        options: How one is named, such as `--store`.
    """
    names = ", ".join(map(str, stores))
    return f"{len(stores)} models have a version in production: {names}. Choose one with {options}."


def read_current(store: Address) -> Published:
    """What is in production.

    Raises:
        BundleError: nothing is, or `current.json` cannot be read.
    """
    return current_in(read_pointer(store), store)


def current_in(pointer: bytes | None, store: Address) -> Published:
    """What is in production by the bytes of `current.json`, None if there is none.

    Raises:
        BundleError: nothing is, or they are no pointer.
    """
    past = _history_in(pointer, store)
    if not past:
        raise BundleError(
            f"The store {store} has nothing in production: it has no {CURRENT}. Publish a bundle "
            "first."
        )
    return past[-1]


def read_history(store: Address) -> tuple[Published, ...]:
    """Everything that went into production, oldest first; empty where nothing did.

    Raises:
        BundleError: `current.json` is there and cannot be read.
    """
    return _history_in(read_pointer(store), store)


def read_pointer(store: Address) -> bytes | None:
    """The bytes of `current.json`; None if there is none.

    Raises:
        BundleError: it cannot be read.
    """
    place = address(store)
    if isinstance(place, str):
        return read_file(f"{place}/{CURRENT}", DOCUMENT_BYTES)
    try:
        return read_plain(place / CURRENT, DOCUMENT_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(store, error_reason(error)) from None


def _history_in(pointer: bytes | None, store: Address) -> tuple[Published, ...]:
    try:
        return () if pointer is None else Pointer.model_validate(json.loads(pointer)).history
    except ValidationError as error:
        raise _unusable(store, f"it is {first_fault(error)}") from None
    except (ValueError, RecursionError) as error:
        raise _unusable(store, error_reason(error)) from None


def _unusable(store: Address, reason: str) -> BundleError:
    return BundleError(
        f"The store {store} has a {CURRENT} that cannot be read: {reason}. Restore it from a backup, "
        "or remove it and publish a bundle again."
    )
