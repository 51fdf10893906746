"""A new version takes over while serving; a bad one never does; canary and shadow are recorded."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from churn.ledger.predictions import PredictionLedger
from churn.scoring.bundle import publish, roll_back
from churn.scoring.current import CURRENT
from tests.servers.churn_api import sample, serving

SWAPS = 50
FILES = ("manifest.json", "contract.json", "golden.json", "reference.npz", "model")


def version_of(client):
    return client.get("/readyz").json()["versions"]["production"]


def wait_until(client, what, seconds=60.0):
    until = time.monotonic() + seconds
    while not what(client.get("/readyz").json()):
        assert time.monotonic() < until, client.get("/readyz").json()
        time.sleep(0.02)


def test_a_published_version_is_served_within_five_seconds_as_set_out_of_the_box(
    store, tmp_path, customers
):
    with serving(store, tmp_path, poll_seconds=1.0) as service, service.client() as client:
        publish(store, "2")
        began = time.monotonic()
        wait_until(client, lambda ready: ready["versions"]["production"] == "2")
        seconds = time.monotonic() - began
        answer = client.post("/v1/score", json=customers[0]).json()

        roll_back(store)
        wait_until(client, lambda ready: ready["versions"]["production"] == "1")
        back = client.get("/metadata").json()

    assert seconds < 5
    assert answer["model_version"] == "2"
    assert back["promotion"] == "roll_back"
    assert back["promoted_by"] is None


@pytest.mark.system
def test_fifty_swaps_under_load_fail_no_request_and_mix_no_answer(
    store, tmp_path, customers, trained, telco_columns
):
    expected = {v: trained[v].probability(telco_columns).tolist() for v in ("1", "2")}
    stop = threading.Event()
    counts = {"1": 0, "2": 0}

    with serving(store, tmp_path, poll_seconds=0.05) as service:

        def ask(start):
            place = start
            with service.client() as client:
                while not stop.is_set():
                    place = (place + 7) % 2000
                    answer = client.post("/v1/score", json=customers[place])
                    assert answer.status_code == 200, answer.text
                    scored = answer.json()
                    version = scored["model_version"]
                    assert scored["probability"] == expected[version][place]
                    counts[version] += 1

        with ThreadPoolExecutor(3) as pool, service.client() as client:
            asking = [pool.submit(ask, start) for start in range(3)]
            try:
                for swap in range(SWAPS):
                    publish(store, "2" if swap % 2 == 0 else "1")
                    service.wait_for("bundle_swapped", swap + 1)
            finally:
                stop.set()
            for each in asking:
                each.result(60)
            metrics = sample(client.get("/metrics").text)

    assert metrics["churn_bundle_swaps_total"] == SWAPS
    assert metrics["churn_bundle_refusals_total"] == 0
    assert min(counts.values()) > 100


def point(store, content):
    """Replaces the pointer whole, as publishing does: half a write would be a refusal of its own."""
    fresh = store / f"{CURRENT}.fresh"
    fresh.write_text(content)
    fresh.replace(store / CURRENT)


def corruptions(bundle, other):
    """Every file of a bundle truncated, flipped, missing, or another version's."""
    names = [path.relative_to(bundle) for path in sorted(bundle.rglob("*")) if path.is_file()]
    for name in names:
        content = (bundle / name).read_bytes()
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 1
        # The other version is not recalibrated, so what was fitted lies one folder higher there.
        twin = other / Path(*(part for part in name.parts if part != "fitted"))
        kinds = {"truncated": content[:-1], "flipped": bytes(flipped), "missing": None}
        if twin.exists() and (foreign := twin.read_bytes()) != content:
            kinds["swapped"] = foreign
        for kind, bad in kinds.items():
            yield name, kind, content, bad


@pytest.mark.system
def test_no_corrupt_bundle_is_served_and_the_last_good_one_goes_on(store, tmp_path, customers):
    bundle, other = store / "bundles" / "2", store / "bundles" / "1"
    first = (store / CURRENT).read_text()
    publish(store, "2")
    second = (store / CURRENT).read_text()
    point(store, first)
    refusals = 0

    with serving(store, tmp_path, poll_seconds=0.05) as service, service.client() as client:
        for name, kind, content, bad in corruptions(bundle, other):
            path = bundle / name
            path.unlink() if bad is None else path.write_bytes(bad)
            point(store, second)
            wait_until(client, lambda ready: ready["refused_bundle"] is not None)
            ready = client.get("/readyz")
            assert ready.status_code == 200, (name, kind)
            assert ready.json()["versions"]["production"] == "1", (name, kind)
            assert client.post("/v1/score", json=customers[0]).json()["model_version"] == "1"
            refusals += 1
            point(store, first)
            wait_until(client, lambda ready: ready["refused_bundle"] is None)
            path.write_bytes(content)
        metrics = sample(client.get("/metrics").text)
        service.wait_for("bundle_refused", refusals)
        logged = service.logged("bundle_refused")

        point(store, "{")
        wait_until(client, lambda ready: ready["refused_bundle"] is not None)
        (store / CURRENT).unlink()
        wait_until(client, lambda ready: "current.json" in (ready["refused_bundle"] or ""))
        assert sample(client.get("/metrics").text)["churn_bundle_refused"] == 1

        point(store, second)
        wait_until(client, lambda ready: ready["versions"]["production"] == "2")

    assert refusals >= 15
    assert metrics["churn_bundle_refusals_total"] == len(logged)
    assert len(logged) == refusals


def test_a_bundle_under_another_contract_is_refused_while_serving(
    store, tmp_path, contract, telco_columns, trained
):
    from dataclasses import replace

    from churn.scoring.bundle import Threshold, bundle_folder, write_bundle

    columns = {name: values[:1500] for name, values in telco_columns.items()}
    other = replace(trained["1"], contract=contract.model_copy(update={"version": 2}))
    write_bundle(
        bundle_folder(store, "3"), other, columns, name="churn", version="3",
        threshold=Threshold(value=0.3, basis="tests"), metrics={},
    )  # fmt: skip

    with serving(store, tmp_path) as service, service.client() as client:
        publish(store, "3")
        wait_until(client, lambda ready: "contract" in (ready["refused_bundle"] or ""))
        assert version_of(client) == "1"
        served = [name for name in sample(client.get("/metrics").text) if "_model_version" in name]
        assert served == ['churn_model_version{role="production",version="1"}']


def test_a_canary_answers_its_share_the_same_customers_always(store, tmp_path, customers):
    some = customers[:400]
    with (
        serving(store, tmp_path, canary_version="2", canary_percent=25) as service,
        service.client() as client,
    ):
        first, again = (client.post("/v1/score/batch", json=some).json() for _ in range(2))
        metrics = sample(client.get("/metrics").text)
        ready = client.get("/readyz").json()
        service.stop()

    versions = [row["model_version"] for row in first]
    assert versions == [row["model_version"] for row in again]
    assert 60 < versions.count("2") < 140
    assert ready["versions"]["canary"] == {"version": "2", "percent": 25.0}
    counted = metrics['churn_score_probability_count{role="canary",version="2"}']
    assert counted == 2 * versions.count("2")
    kept = PredictionLedger(service.ledger).predictions()
    roles = {each.prediction_id: (each.version, each.role) for each in kept}
    for row in first:
        expected = ("2", "canary") if row["model_version"] == "2" else ("1", "production")
        assert roles[row["prediction_id"]] == expected


def test_a_shadow_scores_every_customer_and_answers_none(
    store, tmp_path, customers, trained, telco_columns
):
    expected = trained["2"].probability(telco_columns).tolist()
    with serving(store, tmp_path, shadow_version="2") as service, service.client() as client:
        rows = client.post("/v1/score/batch", json=customers[:50]).json()
        alone = client.post("/v1/score", json=customers[50]).json()
        service.stop()

    assert {row["model_version"] for row in [*rows, alone]} == {"1"}
    kept = PredictionLedger(service.ledger).predictions()
    shadows = {each.prediction_id: each for each in kept if each.role == "shadow"}
    assert len(kept) == 102
    for place, row in enumerate([*rows, alone]):
        shadow = shadows[row["prediction_id"]]
        assert (shadow.version, shadow.probability) == ("2", expected[place])


def test_a_store_behind_a_uri_is_served_and_watched(store, tmp_path, customers):
    with (
        serving(f"file://{store}", tmp_path) as service,
        service.client() as client,
    ):
        assert client.post("/v1/score", json=customers[0]).json()["model_version"] == "1"
        shutil.rmtree(store / "bundles" / "1")
        publish(store, "2")
        wait_until(client, lambda ready: ready["versions"]["production"] == "2")
        assert json.loads((store / CURRENT).read_text())["version"] == "2"
