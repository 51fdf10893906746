"""A full disk costs predictions and outcomes, each counted or refused, and nothing else; with space again all goes on."""

import os
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress

import pytest

from churn.ledger.predictions import PredictionLedger
from tests.servers.churn_api import sample, serving
from tests.servers.ledger_files import current_month

pytestmark = pytest.mark.system
QUEUE = 50


@pytest.fixture
def volume(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "volume"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "churn-test", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder):
    """Takes all the space that is left."""
    with suppress(OSError), (folder / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def metrics(client):
    return sample(client.get("/metrics").text)


def wait_until(is_so, seconds=30):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_scores_go_on_without_space_and_the_ledger_goes_on_with_it(
    store, tmp_path, volume, customers
):
    outcome = {"customer": "C1", "churned": True}
    settings = {"ledger_queue": QUEUE, "ledger_flush_seconds": 0.05}
    with (
        serving(store, tmp_path, ledger=f"sqlite:///{volume}/ledger.db", **settings) as service,
        service.client() as client,
    ):

        def score(count):
            answers = [client.post("/v1/score", json=customers[0]) for _ in range(count)]
            assert {answer.status_code for answer in answers} == {200}
            return [answer.json()["prediction_id"] for answer in answers]

        before = score(20)
        assert client.post("/v1/outcomes", json=outcome).status_code == 201
        wait_until(lambda: metrics(client)["churn_ledger_written_total"] == len(before))

        fill(volume)
        lost = score(400)
        wait_until(lambda: metrics(client)["churn_ledger_failures_total"] >= 1)
        lost += score(2 * QUEUE)
        refused = client.post("/v1/outcomes", json=outcome)
        ready = client.get("/readyz").status_code
        full = metrics(client)

        (volume / "rest").unlink()
        wait_until(lambda: metrics(client)["churn_ledger_waiting"] == 0)
        after = score(20)
        assert client.post("/v1/outcomes", json=outcome).status_code == 201
        assert service.stop() == 0

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert ready == 200
    assert full["churn_ledger_dropped_total"] >= QUEUE
    assert "full" in service.logged("ledger_failed")[0]["reason"]
    with PredictionLedger(service.ledger) as ledger:
        kept = Counter(one.prediction_id for one in ledger.predictions(limit=10**6))
        assert len(ledger.outcomes()) == 2
    assert set(kept.values()) == {1}
    assert {*before, *after} <= set(kept)
    assert len(set(lost) - set(kept)) == full["churn_ledger_dropped_total"]
    with closing(sqlite3.connect(current_month(volume / "ledger.db"))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
