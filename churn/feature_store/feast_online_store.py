"""Our online store as Feast sees it: `type: churn.feature_store.feast_online_store.ChurnOnlineStore`.

Feast has one time for a row of a feature view; the store has one for each field. A row's time becomes
that of each of its fields, and the time of a row that is read is its oldest field's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from feast import Entity, FeatureView, RepoConfig
from feast.infra.online_stores.online_store import OnlineStore as FeastOnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel
from feast.type_map import feast_value_type_to_python_type, python_values_to_proto_values

from churn.contract import load_contract
from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.online_store import OnlineStore
from churn.feature_store.online.stored_customer import (
    EPOCH,
    CustomerUpdate,
    StoredCustomer,
)
from churn.feature_store.typed_fields import TypedFields

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]


class ChurnOnlineStoreConfig(FeastConfigBaseModel):
    """Settings below `online_store` of a Feast repository.

    Attributes:
        type: this module's class.
        contract: file of the data contract whose customers are kept.
        address: of the online store; None for the file in the folder that keeps everything.
    """

    type: Literal["churn.feature_store.feast_online_store.ChurnOnlineStore"] = (
        "churn.feature_store.feast_online_store.ChurnOnlineStore"
    )
    contract: str
    address: str | None = None


class ChurnOnlineStore(FeastOnlineStore):
    """Feast's reading and writing of customers, on the store that the service reads."""

    def __init__(self) -> None:
        self._store: OnlineStore | None = None
        self._fields: TypedFields | None = None
        self._lock = Lock()

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: Sequence[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Writes rows of a feature view.

        Formulas are left out: they are made from the fields when they are read. A null is left out,
        too, because Feast makes one of every field that a row does not have.

        Raises:
            InputError: a feature is neither a field of the contract nor a formula, or the store
                cannot be used.
        """
        store, fields = self._opened(config)
        names = set(fields.require_known(feature.name for feature in table.features))
        with self._lock:
            store.write(
                CustomerUpdate(
                    _customer(key),
                    _in_utc(at),
                    {
                        name: value
                        for name, proto in values.items()
                        if name in names and (value := _plain(proto)) is not None
                    },
                    recorded=EPOCH if created is None else _in_utc(created),
                )
                for key, values, at, created in data
            )
        if progress is not None:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: Sequence[EntityKey],
        requested_features: Sequence[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Value] | None]]:
        """Reads features of customers; a formula only of a customer who has all fields.

        Raises:
            InputError: the store cannot be used, or a stored value is not what the contract allows.
        """
        store, fields = self._opened(config)
        kinds = {each.name: each.dtype.to_value_type() for each in table.features}
        names = list(kinds) if requested_features is None else list(requested_features)
        with self._lock:
            stored = [store.read(_customer(key)) for key in entity_keys]
        rows = fields.typed([each.row if each else {} for each in stored], names)
        protos: list[dict[str, Value]] = [{} for _ in rows]
        for name in names:
            having = [place for place, row in enumerate(rows) if name in row]
            values = python_values_to_proto_values([rows[p][name] for p in having], kinds[name])
            for place, value in zip(having, values, strict=True):
                protos[place][name] = value
        return [
            (None, None) if each is None else (_oldest(each), row)
            for each, row in zip(stored, protos, strict=True)
        ]

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Does nothing: the fields are the contract's, whatever feature views there are of them."""

    def teardown(
        self,
        config: RepoConfig,
        tables: Sequence[FeatureView],  # noqa: ARG002 - Feast's names
        entities: Sequence[Entity],  # noqa: ARG002
    ) -> None:
        """Removes the contract's customers."""
        store, _ = self._opened(config)
        with self._lock:
            store.clear()

    def _opened(self, config: RepoConfig) -> tuple[OnlineStore, TypedFields]:
        with self._lock:
            if self._store is None or self._fields is None:
                settings: ChurnOnlineStoreConfig = config.online_store
                contract = load_contract(Path(config.repo_path or "") / settings.contract)
                self._store = open_online_store(contract, settings.address)
                self._fields = TypedFields(contract)
            return self._store, self._fields


def _customer(key: EntityKey) -> str:
    if len(key.entity_values) != 1:
        raise InputError(
            f"The online store keeps customers by one id, not by {len(key.entity_values)} join keys. "
            "Give the feature view the contract's id as its only entity."
        )
    return str(feast_value_type_to_python_type(key.entity_values[0]))


def _plain(proto: Value) -> Any:
    """A value, None for null: Feast makes NaN of a null in a column of numbers."""
    value = feast_value_type_to_python_type(proto)
    return None if isinstance(value, float) and isnan(value) else value


def _in_utc(at: datetime) -> datetime:
    """A time with its zone; Feast means UTC where there is none."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _oldest(stored: StoredCustomer) -> datetime:
    oldest = min(field.at for field in stored.fields.values())
    return EPOCH + timedelta(microseconds=oldest)
