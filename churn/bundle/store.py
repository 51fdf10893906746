"""A store of bundles: `bundles/<version>/`, and `current.json` that says which one serves.

Publishing and rolling back verify first and then replace one small file in one step, so whatever
goes wrong, what served before still serves.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from churn.bundle.durable import replace_text
from churn.errors import BundleError
from churn.scoring.current import (
    BUNDLES,
    CURRENT,
    Pointer,
    Published,
    bundle_folder,
    read_current,
    read_history,
)
from churn.scoring.manifest import manifest_digest
from churn.scoring.scorer import Scorer

_LOCK = ".lock"


def publish(store: Path, version: str) -> Published:
    """Puts a version of the store into production.

    Args:
        store: the folder that has `bundles/`.
        version: of a bundle in it.

    Returns:
        What is in production now. A version that is there already, unchanged, stays as it was.

    Raises:
        BundleError: there is no such bundle, it is not fit to be served, or the store cannot be
            written to; `current.json` is as it was.
    """
    digest = _require_fit(store, version)
    with _locked(store):
        past = read_history(store)
        if past and (past[-1].version, past[-1].digest) == (version, digest):
            return past[-1]
        return _point(store, past, version, digest, "publish")


def current(store: Path) -> Published:
    """What is in production.

    Raises:
        BundleError: nothing is, or `current.json` cannot be read.
    """
    return read_current(store)


def history(store: Path) -> tuple[Published, ...]:
    """Everything that went into production, oldest first; empty where nothing did.

    Raises:
        BundleError: `current.json` is there and cannot be read.
    """
    return read_history(store)


def roll_back(store: Path, *, dry_run: bool = False) -> Published:
    """Puts back what was in production before the current version was published.

    Rolling back twice goes two versions back, never forth again.

    Args:
        store: the folder that has `bundles/`.
        dry_run: whether only to say what would be put back; it is verified all the same.

    Returns:
        What is in production now, or would be.

    Raises:
        BundleError: there is nothing to go back to, or it is not fit to be served; what is in
            production stays.
    """
    with _locked(store):
        now = read_current(store)
        past = read_history(store)
        before = _before(past)
        if before is None:
            raise BundleError(
                f"The store {store} has no version before {now.version} to go back to. Publish "
                "another version instead."
            )
        digest = _require_fit(store, before.version)
        if digest != before.digest:
            raise BundleError(
                f"The bundle {before.folder(store)} is not the one that was published: its "
                f"manifest has another SHA-256. Restore it; {now.version} stays in production."
            )
        if dry_run:
            return before
        return _point(store, past, before.version, digest, "roll_back")


def _before(past: tuple[Published, ...]) -> Published | None:
    """What a rollback would put back: publishing adds to a pile, rolling back takes from it."""
    pile: list[Published] = []
    for entry in past:
        if entry.action == "publish":
            pile.append(entry)
        elif pile:  # a history that somebody has shortened may begin with a rollback
            pile.pop()
    return pile[-2] if len(pile) > 1 else None


def _require_fit(store: Path, version: str) -> str:
    """Loads a version as a service would; gives the digest of what was loaded."""
    folder = bundle_folder(store, version)
    inside = Path(version).name == version and version not in (".", "..", "")
    if not inside or not folder.is_dir():
        known = sorted(p.name for p in (store / BUNDLES).glob("[!.]*") if p.is_dir())
        raise BundleError(
            f"The store {store} has no bundle {version!r}; it has {', '.join(known) or 'none'}. "
            "Write it first, or name one of these."
        )
    digest = manifest_digest(folder)
    found = Scorer.load(folder).version
    if found != version:
        raise BundleError(
            f"The bundle {folder} holds version {found}, not {version}. Name its folder after its "
            "version."
        )
    return digest


def _point(
    store: Path,
    past: tuple[Published, ...],
    version: str,
    digest: str,
    action: Literal["publish", "roll_back"],
) -> Published:
    entry = Published(
        version=version, digest=digest, at=datetime.now(UTC).replace(microsecond=0), action=action
    )
    pointer = Pointer(version=version, history=(*past, entry))
    try:
        replace_text(store / CURRENT, pointer.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise BundleError(
            f"The store {store} cannot be written to: {error.strerror or error}. What was in "
            "production stays there; make the folder writable and publish again."
        ) from None
    return entry


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    """Whoever changes a store waits for the one before; a process that dies lets go."""
    try:
        file = (store / _LOCK).open("a")
    except OSError as error:
        raise BundleError(
            f"The store {store} cannot be written to: {error.strerror or error}. Name a folder "
            "that you may write to."
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
