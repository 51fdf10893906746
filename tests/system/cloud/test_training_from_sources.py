"""Training reads the shipped table from where people have theirs, and finds the same figures."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import csv, dataset, parquet

from churn.data.sources import open_sink
from tests.servers import cloud_servers

CHEAP = (
    "profile=demo", "candidates=[logistic,spline_logistic]", "protocol.frozen_recipe=spline_logistic",
    "protocol.repeats=1", "floors.baseline_margin=0.01",
    "explanation.samples=2", "explanation.customers=100",
)  # fmt: skip


@pytest.fixture(scope="module")
def train(root, isolated_environment, tmp_path_factory):
    """Trains on the table at an address, in a folder of its own."""

    def run(address: str, **environment: str):
        home = tmp_path_factory.mktemp("training") / "state"
        settings = (f"data.source={address}", f"output.folder={home}", *CHEAP)
        options = [word for each in settings for word in ("--set", each)]
        ended = subprocess.run(
            [sys.executable, str(root / "run.py"), "--pipeline", "training", "--json", *options],
            env=isolated_environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)["metrics"]

    return run


@pytest.fixture(scope="module")
def path(root):
    return root / "data" / "raw" / "telco.csv"


@pytest.fixture(scope="module")
def customers(path):
    """The shipped table, typed as a database has it: whole numbers, floats and texts."""
    return csv.read_csv(path)


@pytest.fixture(scope="module")
def figures(train, path):
    """What training on the shipped CSV finds."""
    found = train(str(path))
    assert {"protocol.roc_auc", "gate.roc_auc", "threshold.value"} <= found.keys()
    return found


def test_figures_from_postgresql_are_the_same(train, figures, customers, postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    postgres.create("shop")
    address = f"postgresql://churn@127.0.0.1:{postgres.port}/shop?table=customers"
    backwards = customers.take(pa.array(range(customers.num_rows - 1, -1, -1)))
    open_sink(address).write([backwards])

    assert train(address, PGPASSWORD=postgres.password) == figures


def test_figures_from_a_bucket_are_the_same(train, figures, path, bucket):
    bucket.put("shop/telco.csv", path)

    address = f"s3://{cloud_servers.BUCKET}/shop/telco.csv"
    assert train(address, **bucket.environment) == figures


def test_figures_from_a_partitioned_folder_are_the_same(train, figures, customers, tmp_path):
    scheme = dataset.partitioning(pa.schema([("Contract", pa.string())]), flavor="hive")
    folder = tmp_path / "customers"
    dataset.write_dataset(customers, folder, format="parquet", partitioning=scheme)

    assert train(str(folder)) == figures


def test_figures_from_a_parquet_folder_are_the_same(train, figures, customers, tmp_path):
    folder = tmp_path / "customers"
    folder.mkdir()
    for number, first in enumerate(range(0, customers.num_rows, 2000)):
        parquet.write_table(customers.slice(first, 2000), folder / f"part-{number}.parquet")

    assert train(str(folder)) == figures
