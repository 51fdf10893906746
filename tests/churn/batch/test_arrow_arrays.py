"""Arrays of numpy and texts go to pyarrow and back unchanged, and nothing of a batch loads pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from churn.batch.arrow_arrays import number_array, numpy_array, text_array
from tests.churn.batch.conftest import with_values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1, -2, 3]), pa.int64()),
        (np.arange(6, dtype=np.int64)[::2], pa.int64()),  # not side by side in memory
        (np.array([0.1, np.nan]), pa.float64()),
        (np.array([2**64 - 1], np.uint64), pa.uint64()),
        (np.array([True, False, True] * 5), pa.bool_()),
        (np.array([], np.bool_), pa.bool_()),
        (np.array([], np.float64), pa.float64()),
    ],
)
def test_numbers_are_the_same_on_both_sides(values, kind):
    found = number_array(values)

    assert found.equals(pa.array(values, kind)) or np.isnan(values).any()
    assert numpy_array(found).tolist() == pytest.approx(values.tolist(), nan_ok=True)
    assert numpy_array(pa.chunked_array([found, found])).dtype == values.dtype
    assert numpy_array(found.slice(1)).tolist() == pytest.approx(values[1:].tolist(), nan_ok=True)


@pytest.mark.parametrize("texts", [[], [""], ["a", "", "Zoë", "x" * 300]])
def test_texts_are_the_same(texts):
    assert text_array(texts).equals(pa.array(texts, pa.string()))


@pytest.mark.parametrize("ledger", [False, True])
def test_a_batch_loads_neither_pandas_nor_the_whole_of_scipys_functions(
    published_store, raw_customers, tmp_path, ledger
):
    """With a rejected row and reasons, which are made of arrays, too."""
    table = with_values(raw_customers.slice(0, 50), "tenure", {7: "a year"})
    parquet.write_table(table, tmp_path / "customers.parquet")
    code = (
        "import sys; from benchmarks.batch_job import job\n"
        "job(*sys.argv[1:4], 1, 1, '', sys.argv[4])\n"
        "print({'pandas', 'scipy.special', 'sklearn', 'lightgbm'} & set(sys.modules))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code, published_store, tmp_path / "customers.parquet", tmp_path / "o",
         f"sqlite:///{tmp_path}/ledger.db" if ledger else ""],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert run.stdout.splitlines()[-1] == "set()"
    assert parquet.read_table(tmp_path / "o" / "rejected.parquet")["row"].to_pylist() == [7]
