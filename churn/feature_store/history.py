"""Point-in-time reads: what was known about each customer at each moment, and nothing later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from churn.errors import InputError
from churn.feature_store.feature_rows import CREATED_TIME, EVENT_TIME
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd

_PLACE = "_place"


def historical_features(
    store: OfflineStore,
    versions: Sequence[Provenance],
    moments: pd.DataFrame,
    features: Sequence[str],
    *,
    oldest: timedelta | None = None,
) -> pd.DataFrame:
    """The features of customers as they were known at given moments.

    Args:
        store: has the versions.
        versions: those to read, of one contract and one feature set, as `store.versions` sorts them.
        moments: the contract's id column and `event_timestamp`, with a zone; other columns
            are kept.
        features: names of the features.
        oldest: a row older than this at its moment is not used; None for no limit. A row exactly as
            old, and one of the very moment, are used.

    Returns:
        `moments` with a column for each feature, missing where nothing was known; rows in their order.

    Raises:
        InputError: a column of `moments` or a feature is missing, a moment is blank, a column has a
            feature's name, or no version is given.
    """
    import pandas as pd

    if not versions:
        raise InputError("The feature store has no version to read. Run `make features` first.")
    columns = versions[-1].contract.content["columns"]
    key = next(column["name"] for column in columns if column["kind"] == "id")
    _require_columns(moments, key, versions[-1], features)
    rows = [store.read(each, [key, EVENT_TIME, CREATED_TIME, *features]) for each in versions]
    known = pa.concat_tables(rows, promote_options="permissive").to_pandas()
    # Of two rows with one event time, the one built later is right; merge_asof takes the last.
    known = known.sort_values([EVENT_TIME, CREATED_TIME], kind="stable").drop(columns=CREATED_TIME)
    times = moments[EVENT_TIME].dt.tz_convert("UTC").astype(known[EVENT_TIME].dtype)
    left = moments.assign(**{EVENT_TIME: times, _PLACE: range(len(moments))})
    found = pd.merge_asof(
        left.sort_values(EVENT_TIME, kind="stable"),
        known,
        on=EVENT_TIME,
        by=key,
        tolerance=None if oldest is None else pd.Timedelta(oldest),
    )
    ordered = found.sort_values(_PLACE).drop(columns=_PLACE)
    return ordered.set_index(moments.index)


def _require_columns(
    moments: pd.DataFrame, key: str, newest: Provenance, features: Sequence[str]
) -> None:
    for column in (key, EVENT_TIME):
        if column not in moments.columns:
            raise InputError(
                f"Column '{column}' is missing from the moments. Give the customers' ids in '{key}' "
                f"and the moments, with their zone, in '{EVENT_TIME}'."
            )
    if getattr(moments[EVENT_TIME].dtype, "tz", None) is None:
        raise InputError(
            f"The moments in '{EVENT_TIME}' have no zone. Give one, such as "
            f"pandas.to_datetime(..., utc=True)."
        )
    blank = int(moments[EVENT_TIME].isna().sum())
    if blank:
        raise InputError(
            f"The moments in '{EVENT_TIME}' are blank in {blank:,} of {len(moments):,} rows. Fill them "
            "in, or leave these rows out."
        )
    taken = [each for each in features if each in moments.columns]
    if taken:
        raise InputError(
            f"The moments have columns named like features: {', '.join(taken)}. Rename them, or leave "
            "them out."
        )
    known = {each.name for each in newest.features}
    unknown = [each for each in features if each not in known]
    if unknown:
        raise InputError(
            f"'{unknown[0]}' is no feature of '{newest.contract.name}'; known: "
            f"{', '.join(sorted(known))}."
        )
