"""SIGKILL at random moments and at commits: the next run gives the bytes of an undisturbed one."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import time

import pytest
from pyarrow import csv

from churn.ledger.predictions import PredictionLedger
from tests.churn.batch.conftest import files, with_values
from tests.system.batch.killed_batch import ROWS_A_PART, Commit, score

RANDOM_KILLS = 20
# Of 11 parts with four files each, two of them written again for their repeated ids: records of parts,
# the rejected rows (53) and the manifest (54) among them.
COMMITS = [
    Commit(number, side)
    for number in (1, 2, 4, 5, 23, 44, 45, 49, 53, 54)
    for side in ("before", "behind")
]
PATIENCE = 600  # seconds; the first child waits for the imports

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.system.batch.killed_batch"])


@pytest.fixture(scope="module")
def undisturbed(published_store, raw_customers, tmp_path_factory):
    """A folder with the table, which has bad rows and repeated ids, and with its scores."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ids = raw_customers["customerID"].to_pylist()
    table = with_values(raw_customers, "tenure", dict.fromkeys((1, 700, 701, 5000, 7043), "x"))
    table = with_values(table, "customerID", {3000: ids[1], 6999: ids[1000]})
    csv.write_csv(table, folder / "customers.csv")
    run(folder, published_store)
    return folder


@pytest.fixture(scope="module")
def raw_customers(root, contract):
    from churn.data import read_raw

    return read_raw((root / contract.snapshot.path).read_bytes(), "telco.csv")[0]


@pytest.fixture
def folder(undisturbed, tmp_path):
    """A folder with the same table and the same job, nothing of which is done yet."""
    shutil.copy(undisturbed / "customers.csv", tmp_path)
    (tmp_path / "out").mkdir()
    shutil.copy(undisturbed / "out" / "job.json", tmp_path / "out")
    return tmp_path


def start(folder, store, stop=None):
    ready = processes.Event()
    process = processes.Process(target=score, args=(folder, store, stop, ready))
    process.start()
    assert ready.wait(PATIENCE)
    return process


def run(folder, store):
    process = start(folder, store)
    process.join(PATIENCE)
    assert process.exitcode == 0


def assert_as_undisturbed(folder, undisturbed):
    """Scores and rejected rows are the same bytes, and the ledger has the same predictions once."""
    expected, found = files(undisturbed / "out"), files(folder / "out")
    assert found.keys() == expected.keys()
    del expected["manifest.json"], found["manifest.json"]
    assert found == expected
    kept = [predictions(each) for each in (folder, undisturbed)]
    assert len({one.prediction_id for one in kept[0]}) == len(kept[0])
    assert kept[0] == kept[1]


def predictions(folder):
    with PredictionLedger(f"sqlite:///{folder}/ledger/ledger.db") as ledger:
        return ledger.predictions()


def test_the_undisturbed_run_has_parts_bad_rows_and_repeated_ids(undisturbed):
    names = files(undisturbed / "out")
    assert len([name for name in names if name.startswith("scores/")]) == -(-7043 // ROWS_A_PART)
    assert len(predictions(undisturbed)) == 7043 - 7


@pytest.mark.parametrize("stop", COMMITS, ids=lambda stop: f"{stop.number}-{stop.side}")
def test_killed_at_a_commit(stop, folder, undisturbed, published_store):
    process = start(folder, published_store, stop)
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL

    run(folder, published_store)

    assert_as_undisturbed(folder, undisturbed)


def test_killed_at_random_moments(
    folder, undisturbed, published_store, tmp_path_factory, record_property
):
    began = time.perf_counter()
    whole = tmp_path_factory.mktemp("timed")
    shutil.copytree(folder, whole, dirs_exist_ok=True)
    run(whole, published_store)
    seconds = time.perf_counter() - began
    seed = random.randrange(2**32)
    record_property("seed", seed)
    moments = random.Random(seed)
    killed = 0
    for number in range(RANDOM_KILLS):
        place = tmp_path_factory.mktemp(f"kill-{number}")
        shutil.copytree(folder, place, dirs_exist_ok=True)
        process = start(place, published_store)
        time.sleep(moments.uniform(0, seconds))  # the moment itself is what is drawn
        process.kill()
        process.join(PATIENCE)
        killed += process.exitcode == -signal.SIGKILL
        run(place, published_store)
        assert_as_undisturbed(place, undisturbed)
    assert killed >= RANDOM_KILLS // 4
