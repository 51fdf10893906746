"""Our point-in-time read as Feast sees it: `type: churn.feature_store.feast_offline_store.ChurnOfflineStore`.

Feast 0.67's own reading of files sorts twice, unstably, so that of two rows with one event time any
may win; and it leaves out the rows of which it knows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import dask.dataframe as dd
import pandas as pd
from feast import FeatureView, RepoConfig
from feast.infra.offline_stores.dask import (
    DaskOfflineStore,
    DaskOfflineStoreConfig,
    DaskRetrievalJob,
)

from churn.errors import InputError
from churn.feature_store.history import historical_features
from churn.feature_store.offline_store import OfflineStore
from churn.scoring.address import address


class ChurnOfflineStoreConfig(DaskOfflineStoreConfig):
    """Settings below `offline_store` of a Feast repository.

    Attributes:
        type: this module's class.
        place: folder or bucket that the features pipeline wrote to.
        contract: name of the contract.
    """

    type: Literal["churn.feature_store.feast_offline_store.ChurnOfflineStore"] = (
        "churn.feature_store.feast_offline_store.ChurnOfflineStore"  # type: ignore[assignment]
    )
    place: str
    contract: str


class ChurnOfflineStore(DaskOfflineStore):
    """Feast's reading of files, but for what must not know the future."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: Sequence[FeatureView],
        feature_refs: Sequence[str],
        entity_df: Any,
        registry: Any,  # noqa: ARG004
        project: str,  # noqa: ARG004
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        **_others: Any,
    ) -> DaskRetrievalJob:
        """Returns the job of a point-in-time read, in the rows' order and with all of them.

        Raises:
            InputError: no moments are given, or what is asked is not there.
        """
        if not isinstance(entity_df, pd.DataFrame) or filter_by_created_timestamp:
            raise InputError(
                "Give the customers and the moments as a pandas DataFrame, without a filter by the "
                "time of building."
            )
        settings: ChurnOfflineStoreConfig = config.offline_store
        versions = {view.tags["feature_set"] for view in feature_views}
        store = OfflineStore(address(settings.place))
        known = [each for each in store.versions(settings.contract) if each.feature_set in versions]
        # All views are made with one limit.
        limit: timedelta | None = feature_views[0].ttl or None
        pairs = [reference.split(":") for reference in feature_refs]

        def evaluate() -> Any:
            names = [name for _, name in pairs]
            found = historical_features(store, known, entity_df, names, oldest=limit)
            if full_feature_names:
                found = found.rename(columns={name: f"{view}__{name}" for view, name in pairs})
            from_pandas: Any = dd.from_pandas
            return from_pandas(found.reset_index(drop=True), npartitions=1, sort=False)

        return DaskRetrievalJob(
            evaluation_function=evaluate,
            full_feature_names=full_feature_names,
            repo_path=str(config.repo_path),
        )
