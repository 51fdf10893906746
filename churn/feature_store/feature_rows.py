"""From a typed customer table to rows of features, each with the time that it describes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from churn.contract import DataContract, NumberColumn
from churn.errors import InputError
from churn.features.encoding import encode
from churn.features.feature_set import FeatureSet

if TYPE_CHECKING:
    import pandas as pd

EVENT_TIME = "event_timestamp"
"""When a row was true of its customer."""
CREATED_TIME = "created_timestamp"
"""When the row was built: of two rows with one event time, the one built later is right."""

TIMESTAMP = pa.timestamp("us", tz="UTC")


def feature_rows(
    frame: pd.DataFrame,
    contract: DataContract,
    features: FeatureSet,
    *,
    observed: datetime,
    created: datetime,
) -> pa.Table:
    """The customers' ids, times, contract fields and engineered columns, as an Arrow table.

    Args:
        frame: a typed table, as `churn.data.intake.parse` returns it.
        contract: the contract it was parsed by.
        features: the formulas to compute.
        observed: the event time of rows whose contract has no date column; with one, a row's event
            time is the beginning of its day (UTC).
        created: when the rows are built.

    Returns:
        The id as text, two times, categories as dictionaries with the contract's codes, numbers as
        the contract has them, float64 for a formula. The target is no feature and is left out.

    Raises:
        InputError: a column is missing, a name is taken, or a row lies after `created`.
    """
    taken = {EVENT_TIME, CREATED_TIME} & {contract.id.name, *(c.name for c in contract.features)}
    if taken:
        raise InputError(
            f"Contract '{contract.name}' has a column '{min(taken)}', which the feature store uses for "
            "its own times; rename the column."
        )
    columns = encode(frame, contract)
    arrays: dict[str, Any] = {
        contract.id.name: pa.array(frame[contract.id.name], pa.string()),
        EVENT_TIME: _event_times(frame, contract, observed, created),
        CREATED_TIME: _repeated(created, len(frame)),
    }
    for column in contract.features:
        if isinstance(column, NumberColumn):
            arrays[column.name] = pa.array(frame[column.name].to_numpy())
        else:
            arrays[column.name] = pa.DictionaryArray.from_arrays(
                pa.array(columns[column.name]), pa.array(column.categories)
            )
    arrays |= {name: pa.array(values) for name, values in features.compute(columns).items()}
    return pa.table(arrays)


def _event_times(
    frame: pd.DataFrame, contract: DataContract, observed: datetime, created: datetime
) -> pa.Array:
    if contract.date is None:
        return _repeated(observed, len(frame))
    days = pa.array(frame[contract.date.name], pa.string())
    times = days.cast(pa.date32()).cast(pa.timestamp("us")).cast(TIMESTAMP)
    late = np.flatnonzero(times.to_numpy(zero_copy_only=False) > np.datetime64(_naive(created)))
    if len(late):
        more = f" and {len(late) - 1:,} more rows" if len(late) > 1 else ""
        raise InputError(
            f"Column '{contract.date.name}' row {late[0] + 1}{more}: the day is later than today, and "
            "a feature cannot be known before its day. Correct the cells."
        )
    return times


def _repeated(moment: datetime, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(moment, TIMESTAMP), rows)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
