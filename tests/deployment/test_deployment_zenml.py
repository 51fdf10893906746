"""The production version through ZenML's deployer: deployed, followed, taken back, stopped."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from churn.errors import InputError
from churn.scoring.bundle import current
from runner.request import RunRequest, prepare_run
from tests.deployment.fake_zenml import FakeZenml
from tests.servers.process import free_port

NAME = "churn-scoring"
ZENML = "target=zenml"


@pytest.fixture
def zenml(monkeypatch):
    from deployment import production_scorer
    from deployment import zenml as zenml_target
    from steps.deployment import stop_service

    made = FakeZenml()
    for module in (zenml_target, stop_service):
        monkeypatch.setattr(module, "find_deployment", made.find)
        monkeypatch.setattr(module, "stop_deployment", made.stop)
    monkeypatch.setattr(zenml_target, "Program", made.program)
    monkeypatch.setattr(zenml_target, "active_stack", lambda: "local")
    monkeypatch.setattr(zenml_target, "_LAG", 0.0)
    monkeypatch.setattr(production_scorer, "LOOK_SECONDS", 0.0)
    yield made
    made.close()


def test_the_first_deployment_is_made_by_the_command_and_asked_every_golden_row(place, zenml):
    done = place.deploy(ZENML)

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    assert done.place == zenml.deployments[NAME].address
    assert zenml.told == [
        f"deploy --stack local --store {place.store} --name {NAME} --state {place.output}"
    ]
    assert f"$ python -m runner.scoring_service {zenml.told[0]}" in done.actions
    (route,) = done.smoke.routes
    assert (route.path, route.largest, route.faults) == ("/invoke", 0.0, ())
    assert route.rows >= 10


def test_what_runs_follows_the_next_version_without_being_deployed_again(place, zenml):
    place.deploy(ZENML)
    place.promote("2")

    done = place.deploy(ZENML)

    assert (done.status, done.serving) == ("deployed", "2"), done.sentence
    assert len(zenml.told) == 1
    assert any("answers at" in action and "already" in action for action in done.actions)


def test_with_a_key_it_is_asked_with_the_one_that_zenml_made(place, zenml):
    done = place.deploy(ZENML, "zenml.keyed=true")

    assert done.status == "deployed", done.sentence
    assert "--keyed" in zenml.told[0]
    key = zenml.deployments[NAME].key
    assert key
    assert key not in done.model_dump_json()


def test_a_first_deployment_that_answers_wrongly_is_stopped(place, zenml):
    zenml.off_by = 1e-9

    done = place.deploy(ZENML)

    assert (done.status, done.serving) == ("rolled back", None), done.sentence
    assert "where the bundle has" in done.reason
    assert done.sentence.endswith("The deployment was stopped; none ran before.")
    assert zenml.deployments == {}


def test_one_that_replaced_another_and_answers_wrongly_makes_room_for_it_again(place, zenml):
    before, after = free_port(), free_port()
    place.deploy(ZENML, f"zenml.port={before}")
    place.promote("2")
    zenml.off_by = 1e-9

    done = place.deploy(ZENML, f"zenml.port={after}")

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert current(place.store).version == "1"
    assert [line.rpartition("--port ")[2].split()[0] for line in zenml.told] == [
        str(before),
        str(after),
        str(before),
    ]
    assert zenml.deployments[NAME].address == done.place == f"http://127.0.0.1:{before}"


def test_one_that_follows_and_answers_wrongly_goes_back_to_the_version_before(place, zenml):
    zenml.off_by = 1e-9
    zenml.run("deploy", "--stack", "local", "--store", str(place.store), "--name", NAME)
    place.promote("2")

    done = place.deploy(ZENML)

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert current(place.store).version == "1"
    assert len(zenml.told) == 1


def test_a_command_that_fails_is_a_rollback_with_its_reason(place, zenml):
    zenml.broken = True

    done = place.deploy(ZENML)

    assert (done.status, done.reason) == ("rolled back", "The command failed: it is broken.")
    assert zenml.deployments == {}


def test_a_dry_run_shows_the_command_and_changes_nothing(place, zenml):
    done = place.deploy(ZENML, "dry_run=true", "zenml.name=other")

    assert done.status == "dry run"
    assert done.actions[-1].startswith("$ python -m runner.scoring_service deploy --stack local")
    assert (zenml.told, zenml.deployments) == ([], {})


def test_a_deployment_of_another_pipeline_is_left_alone(place, zenml):
    place.deploy(ZENML)
    zenml.deployments[NAME] = replace(zenml.deployments[NAME], store=None)

    for ask in (place.deploy, place.stop):
        with pytest.raises(InputError, match="is not one of the scoring pipeline"):
            ask(ZENML, *(["action=stop"] if ask == place.stop else []))

    assert NAME in zenml.deployments


def test_a_port_that_is_taken_is_named_with_the_next(place, zenml):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(InputError, match=rf"Port {port} .* --set zenml\.port={port + 1}"):
            place.deploy(ZENML, f"zenml.port={port}")


def test_it_is_stopped_by_its_name_and_only_when_that_is_meant(place, zenml):
    place.deploy(ZENML)

    rehearsed = place.stop(ZENML, "action=stop", "dry_run=true")
    assert NAME in zenml.deployments
    stopped = place.stop(ZENML, "action=stop")
    again = place.stop(ZENML, "action=stop")

    assert (rehearsed.status, stopped.status) == ("dry run", "stopped")
    assert zenml.deployments == {}
    assert again.sentence == f"ZenML has no deployment '{NAME}'"


def test_a_stack_without_a_deployer_is_refused_before_anything_starts(tmp_path):
    asked = (ZENML, f"output.folder={tmp_path}")

    with pytest.raises(InputError, match=r"Stack 'cloud' has no deployer; add `deployer:"):
        prepare_run(RunRequest("deployment", stack="cloud", overrides=asked))

    prepare_run(RunRequest("deployment", stack="cloud", overrides=(*asked, "action=stop")))
