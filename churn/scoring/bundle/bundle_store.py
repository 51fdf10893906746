"""A store of bundles: `bundles/<version>/`, and `current.json` that says which one serves.

A store is a folder, or a URI that fsspec reads (`s3://bucket/prefix`). Publishing and rolling back
verify first and then replace one small file in one step, so whatever goes wrong, what served before
still serves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from churn.errors import BundleError, NoVersionBeforeError
from churn.scoring.address import Address, address, file_system, unreadable
from churn.scoring.bundle.pointer import History, move_pointer
from churn.scoring.bundle.store_of_model import model_of_store
from churn.scoring.current import BUNDLES, Published, bundle_folder, read_current, read_history
from churn.scoring.manifest import MANIFEST, manifest_digest
from churn.scoring.remote import local_copy
from churn.scoring.scorer import Scorer


def publish(store: Address, version: str, *, by: str | None = None) -> Published:
    """Puts a version of the store into production.

    Args:
        store: the folder that has `bundles/`, or its URI.
        version: version of a bundle in it.
        by: who approved it, as the ledger has it; None if nobody had to.

    Returns:
        What is in production now. A version that is there already, unchanged, stays as it was.

    Raises:
        BundleError: there is no such bundle, it is not fit to be served, it is of another model than
            those that the store had in production, or the store cannot be written to;
            `current.json` is as it was.
    """
    place = address(store)
    digest, model = _require_fit(place, version)

    def further(past: History) -> History:
        _require_owner(place, past, version, model)
        if past and (past[-1].version, past[-1].digest) == (version, digest):
            return past
        return (*past, _entry(version, digest, "publish", by))

    return move_pointer(place, further)


def current(store: Address) -> Published:
    """What is in production.

    Raises:
        BundleError: nothing is, or `current.json` cannot be read.
    """
    return read_current(address(store))


def history(store: Address) -> tuple[Published, ...]:
    """Everything that went into production, oldest first; empty where nothing did.

    Raises:
        BundleError: `current.json` is there and cannot be read.
    """
    return read_history(address(store))


def has_bundle(store: Address, version: str) -> bool:
    """Whether the store has the bundle of a version, published or not.

    Raises:
        BundleError: the store cannot be read.
    """
    bundle = bundle_folder(address(store), version)
    if isinstance(bundle, Path):
        return bundle.is_dir()
    try:
        system, root = file_system(bundle)
        return bool(system.exists(f"{root}/{MANIFEST}"))
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unreadable(bundle, error) from None


def roll_back(store: Address, *, dry_run: bool = False) -> Published:
    """Puts back what was in production before the current version was published.

    Rolling back twice goes two versions back, never forth again.

    Args:
        store: the folder that has `bundles/`, or its URI.
        dry_run: whether only to say what would be put back; it is verified all the same.

    Returns:
        What is in production now, or would be.

    Raises:
        NoVersionBeforeError: there is nothing to go back to; what is in production stays.
        BundleError: what it would go back to is not fit to be served; what is in production stays.
    """
    place = address(store)

    def further(past: History) -> History:
        before = _fit_before(place, past)
        return (*past, _entry(before.version, before.digest, "roll_back"))

    if dry_run:
        return _fit_before(place, read_history(place))
    return move_pointer(place, further)


def _fit_before(store: Address, past: History) -> Published:
    """What a rollback would put back, verified."""
    if not past:
        read_current(store)  # says that nothing is in production
    now, before = past[-1], _before(past)
    if before is None:
        raise NoVersionBeforeError(
            f"The store {store} has no version before {now.version} to go back to. Publish "
            "another version instead."
        )
    digest, model = _require_fit(store, before.version)
    _require_owner(store, past, before.version, model)
    if digest != before.digest:
        raise BundleError(
            f"The bundle {before.folder(store)} is not the one that was published: its "
            f"manifest has another SHA-256. Restore it; {now.version} stays in production."
        )
    return before


def _before(past: History) -> Published | None:
    """What a rollback would put back: publishing adds to a pile, rolling back takes from it."""
    pile: list[Published] = []
    for entry in past:
        if entry.action == "publish":
            if pile and pile[-1].version == entry.version:  # published anew, after it was lost
                pile.pop()
            pile.append(entry)
        elif pile:  # a history that somebody has shortened may begin with a rollback
            pile.pop()
    return pile[-2] if len(pile) > 1 else None


def _require_owner(store: Address, past: History, version: str, model: str) -> None:
    """Refuses a version of another model than those that were in production here."""
    owner = model_of_store(store, past)
    if owner not in (None, model):
        raise BundleError(
            f"The store {store} is that of the model '{owner}', and its bundle {version} is of "
            f"'{model}'; a store serves one model. Publish it in a store of its own."
        )


def _require_fit(store: Address, version: str) -> tuple[str, str]:
    """Loads a version as a service would; gives digest and model name of what was loaded."""
    where = bundle_folder(store, version)
    inside = Path(version).name == version and version not in (".", "..", "")
    if not inside or not has_bundle(store, version):
        raise BundleError(
            f"The store {store} has no bundle {version!r}; it has "
            f"{', '.join(_versions(store)) or 'none'}. Write it first, or name one of these."
        )
    with local_copy(where) as folder:
        digest = manifest_digest(folder)
        found = Scorer.load(folder).manifest.model
    if found.version != version:
        raise BundleError(
            f"The bundle {where} holds version {found.version}, not {version}. Name its folder after "
            "its version."
        )
    return digest, found.name


def _versions(store: Address) -> list[str]:
    """What the store has, by name."""
    if isinstance(store, Path):
        return sorted(p.name for p in (store / BUNDLES).glob("[!.]*") if p.is_dir())
    try:
        system, root = file_system(f"{store}/{BUNDLES}")
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in system.ls(root, False))
    except FileNotFoundError:
        return []
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unreadable(str(store), error) from None


def _entry(
    version: str, digest: str, action: Literal["publish", "roll_back"], by: str | None = None
) -> Published:
    now = datetime.now(UTC).replace(microsecond=0)
    return Published(version=version, digest=digest, at=now, action=action, by=by)
