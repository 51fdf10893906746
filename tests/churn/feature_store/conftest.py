"""A few real customers, and a store in a folder of the test's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from churn.contract import DataContract
from churn.data import Dataset
from churn.feature_store.build import BuildContext
from churn.feature_store.offline_store import OfflineStore

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path) -> OfflineStore:
    """An empty store."""
    return OfflineStore(tmp_path / "home")


@pytest.fixture
def context() -> BuildContext:
    """A build of one morning."""
    return BuildContext(created=NOW, code="c0ffee", stack="local", run="features-1120")


@pytest.fixture(scope="session")
def few(telco) -> Dataset:
    """Forty real customers, as a table of its own."""
    source = replace(telco.source, location="few.csv", sha256="a" * 64)
    return Dataset(telco.frame.head(40), telco.contract, source)


@pytest.fixture(scope="session")
def dated(few) -> Dataset:
    """The same customers under a contract with the day of each row."""
    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    first, *others = few.contract.model_dump()["columns"]
    content = few.contract.model_dump() | {"columns": [first, day, *others]}
    contract = DataContract.model_validate(content)
    days = [f"2026-11-{1 + row % 19:02}" for row in range(few.rows)]
    frame = few.frame.assign(seen_on=days)[list(contract.names)]
    return Dataset(frame, contract, few.source)
