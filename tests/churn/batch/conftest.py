"""Fixtures of batch inference: a small published model and the shipped customers."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import csv

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


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def customers_file(raw_customers, tmp_path):
    """The first 1,000 shipped customers as CSV, the target among the columns."""
    path = tmp_path / "customers.csv"
    write_csv(raw_customers.slice(0, 1000), path)
    return path


@pytest.fixture
def score(store, output):
    """Scores a file by version 1 of the test's store, 300 rows a part."""
    from churn.batch.output_folder import output_folder
    from churn.batch.run_batch import BatchRequest, run_batch
    from churn.data.sources import open_source

    def run(path, *, into=output, ledger=None, on_rows=lambda _done: None, **options):
        options = {"rows_a_part": 300, "in_ledger": ledger is not None} | options
        request = BatchRequest(store, "churn", **options)

        def open_table(contract):
            optional = (*contract.unscored, contract.id.name)
            return open_source(str(path), contract, optional=optional, coded=True)

        return run_batch(request, output_folder(into), open_table, ledger=ledger, on_rows=on_rows)

    return run


@pytest.fixture
def ledger(tmp_path):
    from churn.ledger.predictions import PredictionLedger

    with PredictionLedger(f"sqlite:///{tmp_path}/ledger/ledger.db") as opened:
        yield opened


def write_csv(table, path):
    csv.write_csv(table, path)


def with_values(table, column, changes):
    """A table with other texts in some rows of a column, which are counted from 1."""
    texts = table[column].to_pylist()
    for row, text in changes.items():
        texts[row - 1] = text
    return table.set_column(table.column_names.index(column), column, pa.array(texts, pa.string()))


def files(folder):
    """Every file of a folder by name, with its content."""
    found = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}
