"""The production version as a process of this machine: started, followed, rolled back, stopped.

Starting a process takes seconds, so the first tests look at one deployer, one after another: what an
earlier deployment left there is part of what is tested.
"""

from __future__ import annotations

import socket

import httpx
import pytest

from churn.errors import BundleError, ChurnError, InputError
from churn.ledger.predictions import PredictionLedger
from churn.scoring.bundle import bundle_folder, current, history
from deployment.store import SharedStore
from tests.deployment.conftest import MODEL

CANARY = {"CHURN_CANARY_VERSION": "1", "CHURN_CANARY_PERCENT": "100"}


def served(deployer) -> str:
    url = f"http://127.0.0.1:{deployer.port}/readyz"
    return httpx.get(url, trust_env=False).json()["versions"]["production"]


@pytest.fixture(scope="module")
def dry_run(shared_deployer):
    return shared_deployer.deploy("dry_run=true"), shared_deployer.output.exists()


@pytest.fixture(scope="module")
def started(shared_deployer, dry_run):
    return shared_deployer.deploy()


@pytest.fixture(scope="module")
def again(shared_deployer, started):
    before = history(shared_deployer.store), shared_deployer.process
    return (
        shared_deployer.deploy(),
        before,
        (history(shared_deployer.store), shared_deployer.process),
    )


@pytest.fixture(scope="module")
def failed(shared_deployer, again):
    """Version 2, with two workers, while a canary that somebody left behind answers everybody."""
    shared_deployer.promote("2")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CANARY.items():
            patch.setenv(name, value)
        done = shared_deployer.deploy("local.workers=2")
    return (
        done,
        served(shared_deployer),
        shared_deployer.process,
        current(shared_deployer.store).version,
    )


@pytest.fixture(scope="module")
def followed(shared_deployer, failed):
    """Version 2, promoted once more, and nothing in its way."""
    shared_deployer.promote("2")
    before = shared_deployer.process
    return shared_deployer.deploy(), before, shared_deployer.process, served(shared_deployer)


@pytest.fixture(scope="module")
def adopted(shared_deployer, followed):
    """The same process, but nobody knows any longer who started it."""
    file = shared_deployer.output / "deployment" / "local" / "service.json"
    kept = file.read_text()
    file.unlink()
    try:
        done = shared_deployer.deploy()
        with pytest.raises(InputError) as refused:
            shared_deployer.stop()
    finally:
        file.write_text(kept)
    return done, str(refused.value)


@pytest.fixture(scope="module")
def stopped(shared_deployer, adopted):
    would = shared_deployer.stop("dry_run=true")
    alive = shared_deployer.process is not None
    return would, alive, shared_deployer.stop(), shared_deployer.stop()


def test_a_dry_run_shows_what_it_would_do_and_does_nothing(dry_run, shared_deployer):
    done, wrote = dry_run

    assert done.status == "dry run"
    assert done.actions[0] == f"Version 1 is published in {shared_deployer.store} already."
    assert done.actions[1] == (
        f"$ python -m service.api --port {shared_deployer.port} --workers 1 --store {shared_deployer.store}"
    )
    assert not wrote


def test_where_nothing_runs_it_is_started_and_tested_in_three_protocols(started):
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


def test_where_it_runs_it_follows_a_new_version_without_a_restart(followed, shared_deployer):
    done, before, after, serves = followed

    assert (done.status, done.serving, serves) == ("deployed", "2", "2"), done.sentence
    assert after == before


def test_a_service_that_somebody_else_started_is_followed_and_never_stopped(adopted):
    done, refused = adopted

    assert (done.status, done.serving) == ("deployed", "2"), done.sentence
    assert "somebody else started" in " ".join(done.actions)
    assert "was not started by the deployment pipeline" in refused


def test_it_is_stopped_on_request_and_only_then(stopped, shared_deployer):
    would, alive, done, again = stopped

    assert (would.status, alive) == ("dry run", True)
    assert (done.status, shared_deployer.process) == ("stopped", None)
    assert again.sentence == "no service runs that a deployment has started"


def test_golden_rows_have_ids_of_their_own_in_the_ledger(stopped, shared_deployer):
    ledger = PredictionLedger(shared_deployer.folders["ledger"])
    found = [each.customer for each in ledger.predictions()]
    ledger.close()

    assert len(found) >= 30
    assert all(each.startswith("smoke-test-") for each in found)


def test_a_first_version_that_does_not_pass_leaves_nothing_running(deployer, monkeypatch):
    for name, value in (CANARY | {"CHURN_CANARY_VERSION": "2"}).items():
        monkeypatch.setenv(name, value)

    done = deployer.deploy()

    assert (done.status, done.serving) == ("rolled back", None)
    assert deployer.process is None
    with pytest.raises(httpx.ConnectError):
        served(deployer)


def test_ctrl_c_during_a_deployment_restores_what_was_before(deployer, monkeypatch):
    from deployment import deploy

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "run_smoke_test", interrupted)
    deployer.promote("2")

    with pytest.raises(KeyboardInterrupt):
        deployer.deploy()

    assert deployer.process is None
    assert current(deployer.store).version == "2"  # it was not the version's fault


def test_a_version_that_does_not_come_up_in_time_stays_in_production_and_is_not_waited_for_again(
    deployer, monkeypatch
):
    from deployment.local import LocalTarget

    deployer.deploy()
    deployer.promote("2")
    waited = []

    def too_slow(_target, version, **_):
        waited.append(version)
        raise ChurnError("It was not ready in time.")

    monkeypatch.setattr(LocalTarget, "wait", too_slow)
    done = deployer.deploy()

    assert (done.status, done.serving, waited) == ("rolled back", None, ["2"])
    assert done.sentence.endswith(
        "Version 2 stays in production; this target does not serve it yet."
    )
    assert current(deployer.store).version == "2"


def test_an_earlier_bundle_that_is_damaged_is_not_called_absent(deployer):
    deployer.promote("2")
    (bundle_folder(deployer.store, "1") / "golden.json").write_text("{}")
    store = SharedStore(deployer.store, deployer.folders["ledger"], MODEL, "2")

    with pytest.raises(BundleError, match="bundles/1"):
        store.roll_back(smoke_failed=True)

    assert current(deployer.store).version == "2"


def test_a_service_that_does_not_start_is_reported_with_its_own_message(deployer, monkeypatch):
    monkeypatch.setenv("CHURN_POLL_SECONDS", "often")

    done = deployer.deploy()

    assert done.status == "rolled back"
    assert "CHURN_POLL_SECONDS cannot be used" in done.reason
    assert deployer.process is None
    assert current(deployer.store).version == "1"  # it was not the version's fault


def test_keys_and_a_partial_canary_do_not_fail_a_deployment(deployer, monkeypatch):
    from service.core.keys import new_key

    key, digest = new_key()
    monkeypatch.setenv("CHURN_API_KEYS", digest)
    monkeypatch.setenv("CHURN_CANARY_VERSION", "2")
    monkeypatch.setenv("CHURN_CANARY_PERCENT", "40")
    with pytest.raises(InputError, match="set DEPLOY_API_KEY"):
        deployer.deploy()
    monkeypatch.setenv("DEPLOY_API_KEY", key)

    done = deployer.deploy()

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    kept = [path.read_text(errors="replace") for path in deployer.output.rglob("*.json")]
    assert not any(key in text or digest in text for text in [*kept, done.model_dump_json()])


def test_a_corrupt_bundle_is_refused_before_anything_changes(deployer):
    (bundle_folder(deployer.store, "1") / "golden.json").write_text("{}")

    with pytest.raises(BundleError, match=r"golden\.json"):
        deployer.deploy()

    assert current(deployer.store).version == "1"
    assert deployer.process is None


def test_a_port_that_is_taken_is_reported_in_a_sentence(deployer):
    with socket.socket() as other:
        other.bind(("127.0.0.1", deployer.port))
        other.listen()

        with pytest.raises(InputError, match=f"Port {deployer.port} of 127.0.0.1 is taken by some"):
            deployer.deploy()

    assert deployer.process is None


def test_without_a_version_in_production_the_error_says_to_promote_one(deployer):
    deployer.unpublish()
    deployer.control_plane.versions.clear()

    with pytest.raises(InputError, match=r"run\.py --pipeline promotion first"):
        deployer.deploy()
