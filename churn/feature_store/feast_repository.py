"""The features as a Feast repository: entity, feature views and services, made from contract and catalog.

Feast is an extra (`make setup-data`), and its import takes seconds: only who asks for it imports this.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import feast
import pandas as pd
import yaml
from feast.types import Float64, String
from feast.value_type import ValueType

from churn.contract import DataContract
from churn.durable import replace_text
from churn.feature_store.feature_rows import CREATED_TIME, EVENT_TIME
from churn.feature_store.offline_store import REGISTRY, OfflineStore
from churn.feature_store.provenance import ROWS, Provenance, version_folder
from churn.features.feature_catalog import FIELD, FeatureEntry

ONLINE_VARIABLE = "CHURN_ONLINE_STORE"
"""The environment variable that has the address of an online store on a server."""

_ONLINE_STORE = "churn.feature_store.feast_online_store.ChurnOnlineStore"
_OFFLINE_STORE = "churn.feature_store.feast_offline_store.ChurnOfflineStore"
_CONTRACT = "contract.json"
_SETTINGS = "feature_store.yaml"


def write_repository(
    store: OfflineStore, made: Provenance, *, folder: Path, online: str, oldest: timedelta | None
) -> Path:
    """Writes a Feast repository and applies it: the work of `feast apply`.

    Args:
        store: has the versions; all of the feature set of `made` are read, those to come, too.
        made: a version of the feature set.
        folder: for the repository's files.
        online: address of the online store.
        oldest: a row older than this is not served by a point-in-time read; None for no limit.

    Returns:
        The folder, which the command `feast` takes with `--chdir`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contract = DataContract.model_validate(made.contract.content)
    replace_text(folder / _CONTRACT, contract.model_dump_json(indent=1))
    registry = f"{store.place}/{REGISTRY}/{contract.name}/feast-registry.db"
    # An address on a server may have a password in it, so it stays in the environment.
    address = online if online.startswith("sqlite:") else f"${{{ONLINE_VARIABLE}}}"
    settings = {
        "project": contract.name,
        "provider": "local",
        "registry": registry,
        "offline_store": {
            "type": _OFFLINE_STORE,
            "place": str(store.place),
            "contract": contract.name,
        },
        "online_store": {
            "type": _ONLINE_STORE,
            "contract": str(folder.absolute() / _CONTRACT),
            "address": address,
        },
        "entity_key_serialization_version": 3,
    }
    replace_text(folder / _SETTINGS, yaml.safe_dump(settings, sort_keys=False))
    repository = feast.FeatureStore(repo_path=str(folder))
    repository.apply(definitions(store, made, contract, oldest))
    return folder


def definitions(
    store: OfflineStore, made: Provenance, contract: DataContract, oldest: timedelta | None
) -> list[Any]:
    """Feast's objects: one entity, a view of the fields and one of each group of formulas, a service each.

    The service of the contract's name has all features.
    """
    owner = made.features[0].owner
    tags = {"feature_set": made.feature_set, "contract": f"{contract.name} {contract.version}"}
    customer = feast.Entity(
        name=f"{contract.name}_customer",
        join_keys=[contract.id.name],
        value_type=ValueType.STRING,
        description=contract.id.meaning,
        owner=owner,
    )
    source = _source(store, made, owner)
    groups: dict[str, list[FeatureEntry]] = {}
    for entry in made.features:
        groups.setdefault(view_name(contract.name, entry), []).append(entry)
    views = [
        feast.FeatureView(
            name=name,
            entities=[customer],
            ttl=oldest or timedelta(0),
            schema=[_field(entry, contract) for entry in entries],
            source=source,
            description=f"{len(entries)} features of {contract.title}",
            tags=tags,
            owner=owner,
        )
        for name, entries in groups.items()
    ]
    chosen = {view.name: [view] for view in views} | {contract.name: views}
    services = [
        feast.FeatureService(name=name, features=list(each), tags=tags, owner=owner)
        for name, each in chosen.items()
    ]
    return [customer, source, *views, *services]


def _source(store: OfflineStore, made: Provenance, owner: str) -> feast.FileSource:
    """The files of every version of a feature set, those that are still to come, too."""
    pattern = version_folder("*", made.contract.name, f"{made.feature_set}-*")
    return feast.FileSource(
        name=f"{made.contract.name}_versions",
        path=f"{store.place}/{pattern}/{ROWS}/*.parquet",
        timestamp_field=EVENT_TIME,
        created_timestamp_column=CREATED_TIME,
        s3_endpoint_override=os.environ.get("AWS_ENDPOINT_URL", ""),
        owner=owner,
    )


def view_name(contract: str, entry: FeatureEntry) -> str:
    """The feature view that a feature belongs to."""
    return f"{contract}_{'fields' if entry.kind == FIELD else entry.tags[0]}"


def _field(entry: FeatureEntry, contract: DataContract) -> feast.Field:
    is_coded = entry.name in {column.name for column in contract.coded}
    tags = {"tags": ",".join(entry.tags), "unit": entry.unit, "version": entry.version}
    return feast.Field(
        name=entry.name,
        dtype=String if is_coded else Float64,
        description=entry.description,
        tags={name: text for name, text in tags.items() if text},
    )


class FeastFeatureStore:
    """A `FeatureStore` that asks Feast."""

    def __init__(self, folder: Path, made: Provenance) -> None:
        """Opens the repository in a folder; `made` is a version of its feature set."""
        self._feast = feast.FeatureStore(repo_path=str(folder))
        self._views = {each.name: view_name(made.contract.name, each) for each in made.features}
        contract = json.loads((folder / _CONTRACT).read_bytes())
        self._key = next(each["name"] for each in contract["columns"] if each["kind"] == "id")

    def history(self, moments: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
        """The features as they were known at the moments asked for."""
        found: pd.DataFrame = self._feast.get_historical_features(
            entity_df=moments, features=self._names(features)
        ).to_df()
        return found.set_index(moments.index)

    def online(self, customers: Sequence[str], features: Sequence[str]) -> pd.DataFrame:
        """The features as they are known now, a row for each customer."""
        rows = [{self._key: each} for each in customers]
        found: pd.DataFrame = self._feast.get_online_features(self._names(features), rows).to_df()
        return found[[self._key, *features]]

    def _names(self, features: Sequence[str]) -> list[str]:
        return [f"{self._views[each]}:{each}" for each in features]
