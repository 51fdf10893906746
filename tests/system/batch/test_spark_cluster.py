"""Batches on a real Spark cluster of two workers: the same files as on this machine, or one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from churn.batch import run_batch as batches
from churn.batch.local_engine import LocalEngine
from churn.batch.output_folder import output_folder
from churn.batch.spark_engine import SparkEngine
from churn.batch.spark_session import spark_session
from churn.batch.spark_worker import CHUNKS
from churn.data.sources import TableChunk, open_source
from churn.errors import ChurnError, InputError
from tests.churn.batch.conftest import AT, batch_scorer, raw_customers
from tests.servers.published import published_store, trained

__all__ = ["batch_scorer", "published_store", "raw_customers", "trained"]

pyspark = pytest.importorskip("pyspark", reason="the extra 'spark' is not installed")
if shutil.which("java") is None:
    pytest.skip("there is no Java here", allow_module_level=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A master and two workers, each a process of its own; what they write lies in our folder."""
    home = tmp_path_factory.mktemp("spark")
    for each in Path(pyspark.__file__).parent.iterdir():
        (home / each.name).symlink_to(each)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(home))
        with spark_session("local-cluster[2,1,1024]") as session:
            session.sparkContext.setLogLevel("OFF")
            yield session


@pytest.fixture(scope="module")
def spark(cluster, published_store):
    return SparkEngine(cluster, str(published_store))


@pytest.fixture
def run(published_store, tmp_path, monkeypatch):
    """Runs a job of some table into a folder, by an engine, always at the same moment."""

    class Clock(batches.datetime):
        @classmethod
        def now(cls, tz=None):  # noqa: ARG003 - as its own
            return AT

    monkeypatch.setattr(batches, "datetime", Clock)

    def job(name, table, engine, **more) -> dict[str, bytes]:
        request = batches.BatchRequest(
            store=str(published_store), model="churn", rows_a_part=1000, max_bad_rows=0.2, **more
        )
        batches.run_batch(
            request,
            output_folder(tmp_path / name),
            lambda contract: open_source(
                str(table), contract, optional=(*contract.unscored, contract.id.name)
            ),
            engine=engine,
        )
        found = (each for each in (tmp_path / name).rglob("*") if each.is_file())
        return {
            str(each.relative_to(tmp_path / name)): each.read_bytes()
            for each in found
            if each.name != "manifest.json"  # its fields of the run differ
        }

    return job


@pytest.mark.parametrize("explain", [0, 3])
def test_the_shipped_table_gives_the_files_that_one_machine_gives(
    spark, run, root, tmp_path, explain
):
    table = tmp_path / "customers.csv"
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines(keepends=True)
    bad = [
        line.replace("Two year", "Biennial") if number % 50 == 0 else line
        for number, line in enumerate(lines)
    ]
    table.write_text("".join([*bad, lines[7]]))  # an id is there twice, too

    here = run("here", table, LocalEngine(2), explain=explain)
    there = run("there", table, spark, explain=explain)

    assert len(here) >= 10
    assert there == here


def chunks(table) -> list[TableChunk]:
    return [
        TableChunk(number, at, table.slice(at, 900))
        for number, at in enumerate(range(0, table.num_rows, 900))
    ]


def test_a_worker_that_cannot_load_the_bundle_is_one_sentence(
    cluster, published_store, batch_scorer, raw_customers, tmp_path
):
    store = tmp_path / "store"
    shutil.copytree(published_store, store)
    (store / "bundles" / "1" / "golden.json").write_text("[]")

    with pytest.raises(
        ChurnError, match=r"^A worker of the cluster cannot load the bundle\. "
    ) as error:
        list(SparkEngine(cluster, str(store))(chunks(raw_customers), batch_scorer))

    assert not isinstance(error.value, InputError)
    assert "\n" not in str(error.value)


def test_a_column_that_is_missing_is_the_inputs_fault(spark, batch_scorer, raw_customers):
    with pytest.raises(InputError, match=r"^Field 'tenure' is missing\."):
        list(spark(chunks(raw_customers.drop(["tenure"])), batch_scorer))


def test_a_task_whose_worker_is_killed_is_tried_again(
    cluster, published_store, batch_scorer, raw_customers, tmp_path
):
    killed = tmp_path / "killed"
    deadly = SimpleNamespace(
        sparkContext=cluster.sparkContext,
        createDataFrame=lambda rows, schema: cluster.createDataFrame(rows, schema).mapInArrow(
            killed_once(str(killed)), CHUNKS
        ),
    )

    found = list(SparkEngine(deadly, str(published_store))(chunks(raw_customers), batch_scorer))

    assert killed.exists()
    expected = list(LocalEngine(1)(chunks(raw_customers), batch_scorer))
    assert [chunk.number for chunk, _ in found] == [chunk.number for chunk, _ in expected]
    assert [scored.scores for _, scored in found] == [scored.scores for _, scored in expected]


def killed_once(marker: str):
    """Passes chunks on, but ends the first worker that gets one."""

    def passed_on(given):
        import os
        import signal
        from pathlib import Path

        if not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield from given

    return passed_on
