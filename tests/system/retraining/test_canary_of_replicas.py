"""A canary behind two real services: all of it is measured, and one that is away ends it."""

from __future__ import annotations

import shutil
import time

import pytest

from churn.ledger.predictions import PredictionLedger
from churn.retraining.measured import compare_beside
from churn.scoring.beside import Beside, read_beside
from runner import retraining_steps
from tests.registry.places import MODEL
from tests.servers.churn_api import serving
from tests.servers.published import customers
from tests.system.retraining.killed_loop import opened

__all__ = ["customers"]

ROWS = 300


@pytest.fixture
def loop(published_store, source, tmp_path, monkeypatch):
    """Version 1 in production."""
    store = shutil.copytree(published_store, tmp_path / "production" / MODEL)
    (store / "current.json").unlink()
    made = opened(tmp_path, source, "promoted", monkeypatch)
    made.places.promote("1")

    def compare(ledger, **given):  # the models in the store have a name of their own
        return compare_beside(ledger, **given | {"model": "churn"})

    monkeypatch.setattr(retraining_steps, "compare_beside", compare)
    return made


def wait_until(true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def has_canary(client):
    return "canary" in client.get("/readyz").json()["versions"]


def test_a_canary_is_judged_by_all_replicas_and_by_none_where_one_is_away(
    loop, customers, tmp_path
):
    places = loop.places
    ledger = {"ledger": places.ledger_url, "ledger_flush_seconds": 0.05}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with (
        serving(places.store, tmp_path / "one", **ledger) as one,
        serving(places.store, tmp_path / "other", **ledger) as other,
    ):
        canary = {"percent": 50.0, "predictions": 2 * ROWS, "service": [one.url, other.url]}
        rules = {"canary": canary | {"most_latency_ms": 60_000.0, "days": 1}}
        began = loop.start(rules=rules).result
        for number, service in enumerate((one, other)):
            some = customers[number * ROWS : (number + 1) * ROWS]
            with service.client() as client:
                wait_until(lambda client=client: has_canary(client))
                assert client.post("/v1/score/batch", json=some).is_success
        with PredictionLedger(places.ledger_url) as kept:
            wait_until(lambda: len(kept.predictions(limit=10 * ROWS)) == 2 * ROWS)
        seen = loop.start(rules=rules).result
        other.stop()
        ended = loop.start(rules=rules).result

    assert len(began.inputs.service) == 2
    assert (seen.decision.next, seen.inputs.canary.errors) == ("canary", 0)
    assert 0.3 * 2 * ROWS < seen.inputs.canary.predictions < 0.7 * 2 * ROWS  # of both
    assert seen.inputs.canary.latency_ms > 0
    assert (ended.decision.outcome, ended.decision.serving) == ("kept", "1")
    assert read_beside(places.store) == Beside()
