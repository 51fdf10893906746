"""What building features costs: CPU-seconds of a million customers, beside the same columns by pandas.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_feature_rows [--rows 1000000] [--rounds 7] [--json]

Both start from the typed table and end at one table with ids, fields and engineered columns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.measuring import ROOT
from churn.contract import CategoryColumn, DataContract, FlagColumn, Role, load_contract
from churn.data import acquire
from churn.feature_store.feature_rows import feature_rows
from churn.features.feature_set import FeatureSet, feature_set
from churn.features.tenure import BUCKET_STARTS
from churn.home import home

ROWS = 1_000_000


def by_pandas(frame: pd.DataFrame, contract: DataContract) -> pa.Table:
    """The same engineered columns as a notebook would make them, column by column."""
    made = frame.drop(columns=contract.target.name)
    tenure, monthly, total = frame["tenure"], frame["MonthlyCharges"], frame["TotalCharges"]
    made["tenure_bucket"] = pd.cut(
        tenure, [-np.inf, *BUCKET_STARTS, np.inf], right=False, labels=False
    )
    months = frame["Contract"].map({"Month-to-month": 1, "One year": 12, "Two year": 24})
    made["within_first_term"] = (tenure < months.astype(float)).astype(float)
    average = (total / tenure.where(tenure >= 1)).fillna(monthly)
    made["average_charge"] = average
    made["charge_change"] = monthly - average
    made["billed_gap"] = total - tenure * monthly

    def count(role: Role) -> Any:
        held = [
            frame[column.name].isin(column.yes).astype(float)
            for column in contract.with_role(role)
            if isinstance(column, CategoryColumn | FlagColumn) and column.yes
        ]
        return sum(held)

    made["service_count"] = count(Role.SERVICE)
    made["protection_count"] = count(Role.PROTECTION)
    made["streaming_count"] = count(Role.STREAMING)
    made["charge_per_service"] = monthly / made["service_count"].clip(lower=1.0)
    return pa.Table.from_pandas(made, preserve_index=False)


def require_equal(ours: pa.Table, theirs: pa.Table, features: FeatureSet) -> None:
    """Checks that both have made the same columns."""
    for name in features.names:
        if not np.allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-12, atol=1e-12):
            raise AssertionError(f"the column {name} differs")


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="seconds and ratios of every round")
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    shipped = acquire("bundled", contract, root=ROOT, cache=home() / "downloads").frame
    drawn = np.random.default_rng(1).integers(0, len(shipped), options.rows)
    frame, features = shipped.iloc[drawn].reset_index(drop=True), feature_set(contract)
    now = datetime.now(UTC)

    def ours() -> pa.Table:
        return feature_rows(frame, contract, features, observed=now, created=now)

    def theirs() -> pa.Table:
        return by_pandas(frame, contract)

    require_equal(ours(), theirs(), features)
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(options.rounds)]
    seconds = [mine * 1e6 / options.rows for mine, _ in pairs]
    ratios = [mine / other for mine, other in pairs]
    if options.json:
        print(json.dumps({"seconds": seconds, "ratios": ratios}))
    else:
        print(f"{1 / statistics.median(seconds):.2f} M rows per CPU-second")
        print(f"{statistics.median(ratios):.3f} x of pandas")
    return 0


def _seconds(make: Callable[[], Any]) -> float:
    began = time.process_time()
    make()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
