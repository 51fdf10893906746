"""Fixtures of batch inference: a small published model and the shipped customers."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from tests.servers.published import published_store, store, trained

__all__ = ["published_store", "store", "trained"]

AT = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def batch_scorer(published_store):
    from churn.batch.score_chunk import BatchScorer
    from churn.scoring.store_follower import load_version

    bundle = load_version(str(published_store), "1")
    return BatchScorer(bundle.scorer, bundle.bands, AT, explain=0)


@pytest.fixture(scope="session")
def raw_customers(root, contract):
    """The shipped table as CSV has it: texts, the target among them."""
    from churn.data import read_raw

    table, _ = read_raw((root / contract.snapshot.path).read_bytes(), "telco.csv")
    return pa.table(table)
