"""The production version through Docker's Compose; the engine is a fake, the service real."""

from __future__ import annotations

import hashlib
import json
import os
import signal

import pytest

from churn.errors import ChurnError, InputError
from churn.scoring.bundle import current, history

KEY = "churn_a-key-of-the-tests"


@pytest.fixture
def docker(fake):
    made = fake("docker")
    yield made
    if (made.folder / "running").exists():
        os.kill(int((made.folder / "running").read_text()), signal.SIGTERM)


@pytest.fixture
def secrets(deployer, tmp_path, monkeypatch):
    file = tmp_path / "compose.env"
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    file.write_text(f"CHURN_API_KEYS={digest}\nAPI_PORT={deployer.port}\n")
    monkeypatch.setenv("DEPLOY_API_KEY", KEY)
    return ("target=compose", f"compose.env_file={file}")


def test_the_container_is_started_tested_and_kept_for_the_next_version(deployer, docker, secrets):
    first = deployer.deploy(*secrets)
    deployer.promote("2")
    docker.set("container.json", json.dumps({"CHURN_CANARY_VERSION": "1"}))
    second = deployer.deploy(*secrets)

    assert (first.status, second.status) == ("deployed", "deployed"), second.sentence
    assert (second.serving, second.place) == ("2", f"http://127.0.0.1:{deployer.port}")
    ups = [line for line in docker.commands if " up " in line]
    assert ups == [f"compose --env-file {env_file(secrets)} up -d --wait api"] * 2
    assert KEY not in second.model_dump_json()


def test_a_container_that_answers_wrongly_and_is_new_is_stopped(deployer, docker, secrets):
    docker.set(
        "container.json", json.dumps({"CHURN_CANARY_VERSION": "2", "CHURN_CANARY_PERCENT": "100"})
    )

    done = deployer.deploy(*secrets)

    assert (done.status, done.serving) == ("rolled back", None)
    assert "answered by version 2, not by 1" in done.reason
    assert docker.commands[-1].endswith("stop api")


def test_a_container_that_ran_before_goes_back_to_the_version_before(deployer, docker, secrets):
    deployer.deploy(*secrets)
    deployer.promote("2")

    # A wrong key: a missing response fails the smoke test like a wrong one.
    done = deployer.deploy(*secrets, "smoke.key_variable=HOME")

    assert (done.status, done.serving) == ("rolled back", "1")
    assert "401" in done.reason
    assert current(deployer.store).version == "1"


@pytest.mark.parametrize(
    ("missing", "message", "kind"),
    [
        ("docker", "There is no docker on the PATH; install Docker", InputError),
        ("engine", "Docker's engine does not answer .* start it", ChurnError),
        ("file", "run python tools/compose_secrets.py", InputError),
        ("key", "set DEPLOY_API_KEY to the one", InputError),
    ],
)
def test_a_missing_prerequisite_is_reported_before_anything_changes(
    deployer, fake, secrets, monkeypatch, tmp_path, missing, message, kind
):
    if missing == "docker":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    else:
        docker = fake("docker")
        if missing == "engine":
            docker.set("down")
    if missing == "key":
        monkeypatch.delenv("DEPLOY_API_KEY")
    if missing == "file":
        secrets = ("target=compose", "compose.env_file=nowhere.env")
    deployer.unpublish()

    with pytest.raises(kind, match=message) as refused:
        deployer.deploy(*secrets)

    assert "\n" not in str(refused.value)
    assert history(deployer.store) == ()


def test_a_dry_run_shows_the_command_and_runs_none(deployer, docker, secrets):
    deployer.unpublish()

    done = deployer.deploy(*secrets, "dry_run=true")

    assert done.actions == (
        f"Publish version 1 in {deployer.store}.",
        f"$ STORE={deployer.store} docker compose --env-file {env_file(secrets)} up -d --wait api",
    )
    assert docker.commands == ["version --format {{.Server.Version}}"]
    assert history(deployer.store) == ()


def env_file(secrets: tuple[str, str]) -> str:
    return secrets[1].partition("=")[2]
