"""Two small models in a store, and a table of new customers."""

from __future__ import annotations

import pytest

from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]


@pytest.fixture(scope="session")
def source(telco, tmp_path_factory):
    """Real customers with dearer bills."""
    frame = telco.frame.iloc[:600].copy()
    frame["MonthlyCharges"] = (frame["MonthlyCharges"] * 1.1).round(2)
    path = tmp_path_factory.mktemp("tables") / "risen.csv"
    frame.to_csv(path, index=False)
    return path
