"""Service and stream look customers up without what builds tables: their start and memory depend on it."""

import subprocess
import sys

import pytest

from tests.servers.logged_process import environment

HEAVY = (
    "dask",
    "duckdb",
    "feast",
    "pandas",
    "pyarrow",
    "llvmlite",
    "numba",
    "sklearn",
    "mlflow",
    "zenml",
)
CODE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import {modules}
from churn.contract import load_contract
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate

contract = load_contract(Path("data/contracts/telco.yaml"))
with open_online_store(contract, "sqlite:///" + sys.argv[1]) as store:
    store.write([CustomerUpdate("C1", datetime(2026, 3, 2, tzinfo=UTC), {{"tenure": 1}})])
    assert store.read("C1").row == {{"tenure": 1}}
open_online_store(contract, "redis://127.0.0.1").close()
print(*sorted(set(sys.modules) & set(sys.argv[2:])))
"""


@pytest.mark.parametrize(
    "modules",
    [
        "service.api.__main__, service.api.application, service.api.worker_process",
        "service.stream.__main__, service.stream.worker, service.stream.stored_fields",
    ],
)
def test_nothing_heavy_is_imported(root, tmp_path, modules):
    code = CODE.format(modules=modules)

    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "online.db"), *HEAVY],
        cwd=root, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []
