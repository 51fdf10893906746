"""Writes a version of the features to the online store, once."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from churn.contract import DataContract
from churn.errors import ChurnError, InputError, error_reason
from churn.feature_store.feature_rows import CREATED_TIME, EVENT_TIME
from churn.feature_store.features_result import Materialization
from churn.feature_store.offline_store import REGISTRY, OfflineStore
from churn.feature_store.online.online_store import OnlineStore, OnlineStoreError
from churn.feature_store.online.stored_customer import CustomerUpdate, microseconds
from churn.feature_store.provenance import Provenance

_ROWS_AT_ONCE = 10_000


def materialize(
    provenance: Provenance, offline: OfflineStore, online: OnlineStore, *, locks: Path
) -> Materialization:
    """Writes the fields of a version's customers, unless the online store has them already.

    An older event never replaces a newer one, so a run that was killed is simply run again, and an
    older version changes nothing that is newer.

    Args:
        provenance: the version.
        offline: the store that has its rows.
        online: the store to write to.
        locks: a folder of this machine; two processes that share it do not write at once.

    Raises:
        ChurnError: another process of this machine is writing.
        InputError: one of the stores cannot be used, or the version is damaged.
    """
    contract = online.contract
    marker = f"{REGISTRY}/{contract.name}/materialized.json"
    with _alone(locks / f"{contract.name}.lock", contract.name):
        written = json.loads(offline.read_file(marker) or b"{}")
        names = [
            contract.id.name,
            EVENT_TIME,
            CREATED_TIME,
            *(each.name for each in contract.features),
        ]
        rows = offline.read(provenance, names)
        ends = rows.take([0, rows.num_rows - 1])
        if written.get(online.place) == provenance.version and _has(online, ends):
            return Materialization(place=online.place)
        counts = online.write(_updates(rows, contract))
        text = json.dumps(written | {online.place: provenance.version}, indent=1)
        offline.write_file(marker, text.encode())
    return Materialization(
        place=online.place,
        customers=counts.customers,
        fields_set=counts.fields_set,
        fields_kept=counts.fields_kept,
    )


def _updates(rows: Any, contract: DataContract) -> Iterator[CustomerUpdate]:
    """The rows as updates: the contract's raw fields, all of one event."""
    for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
        for row in batch.to_pylist():
            customer, at = row.pop(contract.id.name), row.pop(EVENT_TIME)
            yield CustomerUpdate(customer, at, recorded=row.pop(CREATED_TIME), fields=row)


def _has(online: OnlineStore, rows: Any) -> bool:
    """Whether a store has these rows, or newer ones: it may have been lost since it was written."""
    try:
        for update in _updates(rows, online.contract):
            held = online.read(update.customer)
            if held is None or any(
                field.at < microseconds(update.at) for field in held.fields.values()
            ):
                return False
    except OnlineStoreError:
        return False
    return True


@contextmanager
def _alone(lock: Path, contract: str) -> Iterator[None]:
    """Holds a lock, which ends with the process, however that ends."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(
            f"The folder {lock.parent} cannot be written to ({error_reason(error)}). Make it "
            "writable, or choose another with --set output.folder=PATH."
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChurnError(
                f"Another process is writing the features of '{contract}' to the online store. Wait "
                "until it has ended, and run this again."
            ) from None
        yield
    finally:
        os.close(handle)
