"""The scoring service on a store in a bucket: serves, swaps, refuses, and outlives the bucket."""

import time

import pytest

from churn.scoring import Scorer
from churn.scoring.bundle import publish, roll_back
from tests.servers import cloud_servers
from tests.servers.churn_api import serving


@pytest.fixture
def customer(models, contract):
    """A customer that may exist."""
    from churn.scoring.bundle.golden_rows import golden_rows

    return golden_rows(models["1"][1], contract)[5]


def wait_until(client, true, seconds=60):
    until = time.monotonic() + seconds
    while not true(ready := client.get("/readyz").json()):
        assert time.monotonic() < until, ready
        time.sleep(0.05)


def test_what_is_published_in_a_bucket_is_served_and_what_is_corrupt_is_not(
    store, write, files, keys, customer, tmp_path
):
    expected = {version: Scorer.load(write(version)).score_one(customer) for version in "123"}
    publish(store, "1")

    def answer():
        found = client.post("/v1/score", json=customer).json()
        assert found["probability"] == expected[found["model_version"]].probability
        return found["model_version"]

    with serving(store, tmp_path) as service, service.client() as client:
        assert answer() == "1"

        publish(store, "2")
        service.wait_for("bundle_swapped", 1)
        assert answer() == "2"

        publish(store, "3")
        service.wait_for("bundle_swapped", 2)
        assert answer() == "3"
        pointer, place = f"{store}/current.json", f"{store}/bundles/3/golden.json"
        third, whole = files.cat_file(pointer), files.cat_file(place)
        roll_back(store)
        service.wait_for("bundle_swapped", 3)
        assert answer() == "2"

        # Somebody moves the pointer by hand, to a version that is no longer what it was.
        files.pipe_file(place, whole[:-2])
        files.pipe_file(pointer, third)
        wait_until(client, lambda ready: ready["refused_bundle"])
        refused = client.get("/readyz").json()["refused_bundle"]
        assert f"{store}/bundles/3 is corrupt: golden.json has" in refused
        assert answer() == "2"

        # Mended in place: it is looked at again without anybody publishing.
        files.pipe_file(place, whole)
        service.wait_for("bundle_swapped", 4)
        assert answer() == "3"


def test_a_service_outlives_the_bucket_it_came_from(write, models, customer, tmp_path, monkeypatch):
    import s3fs

    with cloud_servers.bucket() as own:
        # Once is enough to see that nobody is there; boto would try for ten seconds.
        for name, value in (own.environment | {"AWS_MAX_ATTEMPTS": "1"}).items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        store = f"s3://{cloud_servers.BUCKET}/production"
        write("1", store=store)
        publish(store, "1")
        with serving(store, tmp_path) as service, service.client() as client:
            own.server.stop()
            wait_until(client, lambda ready: ready["refused_bundle"])
            answer = client.post("/v1/score", json=customer)
            assert (answer.status_code, answer.json()["model_version"]) == (200, "1")
            ready = client.get("/readyz")
            assert ready.status_code == 200
            assert (
                f"{store}/current.json cannot be read (EndpointConnectionError"
                in ready.json()["refused_bundle"]
            )
    s3fs.S3FileSystem.clear_instance_cache()
