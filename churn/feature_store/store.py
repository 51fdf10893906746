"""The feature store behind one interface: features of the past and of now, by our own code or by Feast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from churn.contract import DataContract
from churn.errors import InputError
from churn.feature_store.history import historical_features
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.online.address import open_online_store
from churn.feature_store.provenance import Provenance
from churn.feature_store.typed_fields import TypedFields
from churn.features.feature_set import feature_set
from churn.features.feature_version import feature_set_version
from churn.scoring.address import address

if TYPE_CHECKING:
    import pandas as pd


class FeatureStore(Protocol):
    """Features of a contract's customers."""

    def history(self, moments: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
        """The features as they were known at given moments, and nothing later.

        Args:
            moments: the contract's id column and `event_timestamp`, with a zone; other columns are kept.
            features: names of the features.

        Returns:
            `moments` with a column for each feature, missing where nothing was known.
        """

    def online(self, customers: Sequence[str], features: Sequence[str]) -> pd.DataFrame:
        """The features as they are known now, a row for each customer, beside the id.

        A formula is missing where one of its customer's fields is not known.

        Raises:
            InputError: a stored value is not what the contract allows.
        """


def open_feature_store(
    contract: DataContract,
    place: str | Path,
    *,
    online: str | None = None,
    feast: Path | None = None,
    oldest: timedelta | None = None,
) -> FeatureStore:
    """Opens the store of the features that this code makes of a contract's customers.

    Args:
        contract: the contract.
        place: the folder or bucket that the features pipeline wrote to.
        online: address of the online store; None for the default file.
        feast: folder of a Feast repository, to ask Feast; it has its own `online` and `oldest`.
        oldest: a row older than this is not used at its moment; None for no limit.

    Raises:
        InputError: nothing was built there by this feature set, or Feast is not installed.
    """
    offline = OfflineStore(address(place))
    name = feature_set_version(contract, feature_set(contract))
    versions = [each for each in offline.versions(contract.name) if each.feature_set == name]
    if not versions:
        raise InputError(
            f"{offline.place} has no features of '{contract.name}' by feature set {name}. Run "
            "`make features` first."
        )
    if feast is not None:
        opened: FeatureStore = import_feast().FeastFeatureStore(feast, versions[-1])
        return opened
    return _OwnFeatureStore(contract, offline, versions, online, oldest)


def import_feast() -> ModuleType:
    """The module that needs Feast, imported for who asks for it.

    Raises:
        InputError: Feast is not installed.
    """
    try:
        return import_module("churn.feature_store.feast_repository")
    except ImportError:
        raise InputError(
            "Feast is an extra, which is not installed: run `make setup-data`, or leave store.feast out."
        ) from None


class _OwnFeatureStore:
    """The store without Feast."""

    def __init__(
        self,
        contract: DataContract,
        offline: OfflineStore,
        versions: list[Provenance],
        online: str | None,
        oldest: timedelta | None,
    ) -> None:
        self._contract = contract
        self._offline = offline
        self._versions = versions
        self._online = online
        self._oldest = oldest

    def history(self, moments: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
        """The features as they were known at the moments asked for."""
        return historical_features(
            self._offline, self._versions, moments, features, oldest=self._oldest
        )

    def online(self, customers: Sequence[str], features: Sequence[str]) -> pd.DataFrame:
        """The features as they are known now."""
        import pandas as pd

        with open_online_store(self._contract, self._online) as store:
            held = [store.read(each) for each in customers]
        rows = TypedFields(self._contract).typed(
            [each.row if each else {} for each in held], list(features)
        )
        key = self._contract.id.name
        return pd.DataFrame(
            [{key: each} | row for each, row in zip(customers, rows, strict=True)],
            columns=[key, *features],
        )
