"""A worker of a cluster scores what it is given to the bits of a thread here, or says what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pytest

from churn.batch import spark_worker
from churn.batch.score_chunk import score_chunk
from churn.batch.spark_worker import SCORED, ShippedVersion, packed, unpacked
from churn.scoring.bundle import bundle_folder
from churn.scoring.manifest import manifest_digest

pyspark = pytest.importorskip("pyspark", reason="the extra 'spark' is not installed")


@pytest.fixture
def shipped(published_store, batch_scorer, tmp_path, monkeypatch):
    """The first version, as if Spark had put it among this worker's files."""
    folder = tmp_path / "bundle.zip"
    shutil.copytree(bundle_folder(published_store, "1"), folder)
    monkeypatch.setattr(pyspark.SparkFiles, "get", lambda name: str(tmp_path / name))
    spark_worker._loaded.cache_clear()
    yield ShippedVersion(
        "bundle.zip", "1", manifest_digest(folder), batch_scorer.scored_at, 2, batch_scorer.kept
    )
    spark_worker._loaded.cache_clear()


def batch(*tables: pa.Table) -> pa.RecordBatch:
    starts = [1 + sum(each.num_rows for each in tables[:place]) for place in range(len(tables))]
    return pa.record_batch(
        [list(range(len(tables))), starts, [packed(each) for each in tables]],
        names=["number", "first_row", "rows"],
    )


def test_chunks_come_back_as_a_thread_of_this_machine_scores_them(
    shipped, batch_scorer, raw_customers
):
    given = raw_customers.slice(0, 300)

    found = list(shipped.score([batch(given, given.slice(0, 7)), batch(given.slice(0, 0))]))

    assert [each["number"][0].as_py() for each in found] == [0, 1, 0]
    assert found[0].schema.names == [field.split()[0] for field in SCORED.split(", ")]
    expected = score_chunk(given, replace(batch_scorer, explain=2), first_row=1)
    for name in ("scores", "rejected", "fingerprints"):
        assert unpacked(found[0][name][0].as_py()) == getattr(expected, name)
    assert unpacked(found[1]["scores"][0].as_py())["row"].to_pylist() == list(range(301, 308))
    assert {each["fault"][0].as_py() for each in found} == {""}


def test_the_version_is_loaded_once_a_worker(shipped, raw_customers, monkeypatch):
    list(shipped.score([batch(raw_customers.slice(0, 5))]))
    monkeypatch.setattr(pyspark.SparkFiles, "get", lambda _name: 1 / 0)

    assert next(shipped.score([batch(raw_customers.slice(0, 5))]))["fault"][0].as_py() == ""


def fault(shipped: ShippedVersion, table: pa.Table) -> tuple[str, bool]:
    found = next(shipped.score([batch(table)]))
    assert unpacked_or_none(found) is None
    return found["fault"][0].as_py(), found["ours"][0].as_py()


def unpacked_or_none(found: pa.RecordBatch) -> pa.Table | None:
    content = found["scores"][0].as_py()
    return unpacked(content) if content else None


def test_a_bundle_that_is_not_the_shipped_one(shipped, raw_customers, tmp_path):
    (tmp_path / "bundle.zip" / "golden.json").write_text("[]")

    said, ours = fault(shipped, raw_customers)

    assert said.startswith("A worker of the cluster cannot load the bundle. The bundle ")
    assert "golden.json" in said
    assert not ours


def test_a_bundle_that_did_not_arrive(shipped, raw_customers, tmp_path):
    shutil.rmtree(tmp_path / "bundle.zip")

    said, _ = fault(shipped, raw_customers)

    assert said.startswith("A worker of the cluster cannot load the bundle.")


def test_a_worker_without_a_library(shipped, raw_customers, monkeypatch):
    monkeypatch.setitem(sys.modules, "churn.batch.score_chunk", None)

    said, ours = fault(shipped, raw_customers)

    assert said.startswith("A worker of the cluster lacks a library: ")
    assert not ours


def test_an_input_that_cannot_be_read_is_the_inputs_fault(shipped, raw_customers):
    said, ours = fault(shipped, raw_customers.drop(["tenure"]))

    assert said.startswith("Field 'tenure' is missing.")
    assert ours


def test_a_worker_needs_nothing_to_say_what_it_lacks():
    code = "import sys, churn.batch.spark_worker; print({'numpy', 'pyarrow', 'pyspark'} & {*sys.modules})"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert output.stdout.strip() == "set()"


def test_every_type_of_a_column_survives_the_way(raw_customers):
    table = pa.table(
        {
            "texts": raw_customers["Contract"].slice(0, 9).dictionary_encode(),
            "nothing": pa.nulls(9),
            "small": pa.array(range(9), pa.int8()),
        }
    )

    assert unpacked(packed(table)) == table
    assert unpacked(packed(table)).schema == table.schema
