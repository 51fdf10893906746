"""The production version through Docker's Compose; the engine stood in for, the service real."""

from __future__ import annotations

import hashlib
import json
import os
import signal

import pytest

from churn.errors import ChurnError, InputError
from churn.scoring.bundle import current

KEY = "churn_a-key-of-the-tests"


@pytest.fixture
def docker(stand_in):
    made = stand_in("docker")
    yield made
    if (made.folder / "running").exists():
        os.kill(int((made.folder / "running").read_text()), signal.SIGTERM)


@pytest.fixture
def secrets(place, tmp_path, monkeypatch):
    file = tmp_path / "compose.env"
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    file.write_text(f"CHURN_API_KEYS={digest}\nAPI_PORT={place.port}\n")
    monkeypatch.setenv("DEPLOY_API_KEY", KEY)
    return ("target=compose", f"compose.env_file={file}")


def test_it_is_brought_up_asked_and_after_a_failure_back_on_what_served(place, docker, secrets):
    first = place.deploy(*secrets)
    place.promote("2")
    docker.put("container.json", json.dumps({"CHURN_CANARY_VERSION": "1"}))
    second = place.deploy(*secrets)

    assert (first.status, second.status) == ("deployed", "deployed"), second.sentence
    assert (second.serving, second.place) == ("2", f"http://127.0.0.1:{place.port}")
    ups = [line for line in docker.told if " up " in line]
    assert ups == [f"compose --env-file {place_file(secrets)} up -d --wait api"] * 2
    assert KEY not in second.model_dump_json()


def test_a_container_that_answers_wrongly_and_is_new_is_stopped(place, docker, secrets):
    docker.put(
        "container.json", json.dumps({"CHURN_CANARY_VERSION": "2", "CHURN_CANARY_PERCENT": "100"})
    )

    done = place.deploy(*secrets)

    assert (done.status, done.serving) == ("rolled back", None)
    assert "answered by version 2, not by 1" in done.reason
    assert docker.told[-1].endswith("stop api")


def test_a_container_that_ran_before_goes_back_to_the_version_before(place, docker, secrets):
    place.deploy(*secrets)
    place.promote("2")

    # A key that nobody lets in: no answer is as good as a wrong one.
    done = place.deploy(*secrets, "smoke.key_variable=HOME")

    assert (done.status, done.serving) == ("rolled back", "1")
    assert "401" in done.reason
    assert current(place.store).version == "1"


@pytest.mark.parametrize(
    ("missing", "told", "kind"),
    [
        ("docker", "There is no docker on the PATH; install Docker", InputError),
        ("engine", "Docker's engine does not answer .* start it", ChurnError),
        ("file", "run python tools/compose_secrets.py", InputError),
        ("key", "set DEPLOY_API_KEY to the one", InputError),
    ],
)
def test_what_is_missing_is_said_before_anything_changes(
    place, stand_in, secrets, monkeypatch, tmp_path, missing, told, kind
):
    if missing == "docker":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    else:
        docker = stand_in("docker")
        if missing == "engine":
            docker.put("down")
    if missing == "key":
        monkeypatch.delenv("DEPLOY_API_KEY")
    if missing == "file":
        secrets = ("target=compose", "compose.env_file=nowhere.env")
    place.production = "2"

    with pytest.raises(kind, match=told) as refused:
        place.deploy(*secrets)

    assert "\n" not in str(refused.value)
    assert current(place.store).version == "1"


def test_a_dry_run_tells_the_command_and_gives_none(place, docker, secrets):
    place.production = "2"

    done = place.deploy(*secrets, "dry_run=true")

    assert done.actions == (
        f"Publish version 2 in {place.store} instead of version 1.",
        f"$ STORE={place.store} docker compose --env-file {place_file(secrets)} up -d --wait api",
    )
    assert docker.told == ["version --format {{.Server.Version}}"]
    assert current(place.store).version == "1"


def place_file(secrets: tuple[str, str]) -> str:
    return secrets[1].partition("=")[2]
