"""The accepted table behind a version of features: where it is kept, and how it is read again."""

from __future__ import annotations

from pathlib import Path

from churn.contract import DataContract
from churn.data import Dataset, Source, acquire, parse, read_raw
from churn.data.snapshot import TABLE
from churn.data.training_table import BUNDLED
from churn.errors import InputError
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.provenance import Provenance


def keep_snapshot(store: OfflineStore, snapshot: Path) -> str:
    """Keeps an accepted table where the features are.

    Args:
        store: the features' store.
        snapshot: what `churn.data.take_snapshot` returned.

    Returns:
        Its folder below the store; empty for the table that the contract came with, which every
        checkout has.

    Raises:
        InputError: the store cannot be written to.
    """
    if not snapshot.is_absolute():
        return ""
    name = f"snapshots/{snapshot.name}"
    if store.place != snapshot.parent.parent:
        store.write_file(f"{name}/{TABLE}", (snapshot / TABLE).read_bytes())
    return name


def read_snapshot(
    store: OfflineStore, provenance: Provenance, contract: DataContract, *, root: Path
) -> Dataset:
    """The table that a version was built from, with the source that was recorded then.

    Args:
        store: has the version.
        provenance: of the version.
        contract: the contract of that time.
        root: the folder that the contract's paths are relative to.

    Raises:
        InputError: the table is gone, or is another one.
    """
    source = Source(**provenance.source.model_dump())
    if not provenance.snapshot:
        frame = acquire(BUNDLED, contract, root=root, cache=root).frame
        return Dataset(frame, contract, source)
    name = f"{provenance.snapshot}/{TABLE}"
    content = store.read_file(name)
    if content is None:
        raise InputError(
            f"The table that the features of {provenance.date} were built from is gone: {name} is "
            f"missing below {store.place}. Restore it, or build new features from the source."
        )
    table, _ = read_raw(content, name)
    return Dataset(parse(table, contract), contract, source)
