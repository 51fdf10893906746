"""The production version as a process of this machine: started, followed, taken back, stopped.

Starting a process takes seconds, so the first tests look at one place, one after another: what an
earlier deployment left there is part of what is tested.
"""

from __future__ import annotations

import socket

import httpx
import pytest

from churn.errors import BundleError, InputError
from churn.ledger import PredictionLedger
from churn.scoring.bundle import bundle_folder, current, history

CANARY = {"CHURN_CANARY_VERSION": "1", "CHURN_CANARY_PERCENT": "100"}


def served(place) -> str:
    url = f"http://127.0.0.1:{place.port}/readyz"
    return httpx.get(url, trust_env=False).json()["versions"]["production"]


@pytest.fixture(scope="module")
def rehearsed(one_place):
    return one_place.deploy("dry_run=true"), one_place.output.exists()


@pytest.fixture(scope="module")
def started(one_place, rehearsed):
    return one_place.deploy()


@pytest.fixture(scope="module")
def again(one_place, started):
    before = history(one_place.store), one_place.process
    return one_place.deploy(), before, (history(one_place.store), one_place.process)


@pytest.fixture(scope="module")
def failed(one_place, again):
    """Version 2, with two workers, while a canary that somebody left behind answers everybody."""
    one_place.promote("2")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CANARY.items():
            patch.setenv(name, value)
        done = one_place.deploy("local.workers=2")
    return done, served(one_place), one_place.process, current(one_place.store).version


@pytest.fixture(scope="module")
def followed(one_place, failed):
    """Version 2 once more, and nothing in its way."""
    before = one_place.process
    return one_place.deploy(), before, one_place.process, served(one_place)


@pytest.fixture(scope="module")
def adopted(one_place, followed):
    """The same process, but nobody knows any longer who started it."""
    file = one_place.output / "deployment" / "local" / "service.json"
    kept = file.read_text()
    file.unlink()
    try:
        done = one_place.deploy()
        with pytest.raises(InputError) as refused:
            one_place.stop()
    finally:
        file.write_text(kept)
    return done, str(refused.value)


@pytest.fixture(scope="module")
def stopped(one_place, adopted):
    would = one_place.stop("dry_run=true")
    alive = one_place.process is not None
    return would, alive, one_place.stop(), one_place.stop()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(rehearsed, one_place):
    done, wrote = rehearsed

    assert done.status == "dry run"
    assert done.actions[0] == f"Version 1 is published in {one_place.store} already."
    assert done.actions[1] == (
        f"$ python -m service.api --port {one_place.port} --workers 1 --store {one_place.store}"
    )
    assert not wrote


def test_where_nothing_runs_it_is_started_and_asked_in_three_ways(started):
    assert (started.status, started.serving) == ("deployed", "1"), started.sentence
    assert [each.path for each in started.smoke.routes] == [
        "/v1/score",
        "/v1/score/batch",
        "/v2/models/churn/infer",
    ]
    assert all(each.rows >= 10 and each.largest <= 1e-12 for each in started.smoke.routes)


def test_deploying_again_changes_nothing(again):
    done, before, after = again

    assert done.status == "deployed"
    assert after == before


def test_answers_of_another_version_bring_back_pointer_and_process(failed, again):
    done, serves, process, pointer = failed
    before = again[2][1]

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert "answered by version 1, not by 2" in done.reason
    assert "\n" not in done.sentence
    assert (serves, pointer) == ("1", "1")
    assert f"version 1 on {done.place}" in done.sentence
    # The process is another one on the settings that the former had, not on those that failed.
    assert process.pid != before.pid
    assert process.workers == 1
    assert "CHURN_CANARY_VERSION" not in process.environment


def test_where_it_runs_it_follows_a_new_version_without_a_restart(followed, one_place):
    done, before, after, serves = followed

    assert (done.status, done.serving, serves) == ("deployed", "2", "2"), done.sentence
    assert after == before


def test_a_service_that_somebody_else_started_is_followed_and_never_stopped(adopted):
    done, refused = adopted

    assert (done.status, done.serving) == ("deployed", "2"), done.sentence
    assert "somebody else started" in " ".join(done.actions)
    assert "was not started by the deployment pipeline" in refused


def test_it_is_stopped_when_asked_for_and_only_then(stopped, one_place):
    would, alive, done, again = stopped

    assert (would.status, alive) == ("dry run", True)
    assert (done.status, one_place.process) == ("stopped", None)
    assert again.sentence == "no service runs that a deployment has started"


def test_golden_rows_are_told_apart_from_customers_in_the_ledger(stopped, one_place):
    ledger = PredictionLedger(one_place.folders["ledger"])
    found = [each.customer for each in ledger.predictions()]
    ledger.close()

    assert len(found) >= 30
    assert all(each.startswith("smoke-test-") for each in found)


def test_a_first_version_that_does_not_pass_leaves_nothing_running(place, monkeypatch):
    for name, value in (CANARY | {"CHURN_CANARY_VERSION": "2"}).items():
        monkeypatch.setenv(name, value)

    done = place.deploy()

    assert (done.status, done.serving) == ("rolled back", None)
    assert place.process is None
    with pytest.raises(httpx.ConnectError):
        served(place)


def test_ctrl_c_in_the_midst_leaves_what_was_before(place, monkeypatch):
    from steps.deployment import deploy_version

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy_version, "run_smoke_test", interrupted)
    place.production = "2"

    with pytest.raises(KeyboardInterrupt):
        place.deploy()

    assert place.process is None
    assert current(place.store).version == "1"


def test_a_service_that_does_not_start_is_told_by_its_own_words(place, monkeypatch):
    monkeypatch.setenv("CHURN_POLL_SECONDS", "often")

    done = place.deploy()

    assert done.status == "rolled back"
    assert "CHURN_POLL_SECONDS cannot be used" in done.reason
    assert place.process is None
    assert current(place.store).version == "1"  # it was not the version's fault


def test_keys_and_a_canary_of_some_do_not_stand_in_the_way(place, monkeypatch):
    from service.core.keys import new_key

    key, digest = new_key()
    monkeypatch.setenv("CHURN_API_KEYS", digest)
    monkeypatch.setenv("CHURN_CANARY_VERSION", "2")
    monkeypatch.setenv("CHURN_CANARY_PERCENT", "40")
    with pytest.raises(InputError, match="set DEPLOY_API_KEY"):
        place.deploy()
    monkeypatch.setenv("DEPLOY_API_KEY", key)

    done = place.deploy()

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    kept = [path.read_text(errors="replace") for path in place.output.rglob("*.json")]
    assert not any(key in text or digest in text for text in [*kept, done.model_dump_json()])


def test_a_corrupt_bundle_is_refused_before_anything_changes(place):
    (bundle_folder(place.store, "2") / "golden.json").write_text("{}")
    place.production = "2"

    with pytest.raises(BundleError, match=r"golden\.json"):
        place.deploy()

    assert current(place.store).version == "1"
    assert place.process is None


def test_a_port_that_something_else_has_is_said_in_a_sentence(place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", place.port))
        other.listen()

        with pytest.raises(InputError, match=f"Port {place.port} of 127.0.0.1 is taken by some"):
            place.deploy()

    assert place.process is None


def test_without_a_version_in_production_it_says_to_promote_one(place):
    place.production = ""

    with pytest.raises(InputError, match=r"run\.py --pipeline promotion first"):
        place.deploy()
