"""The production version through ZenML's deployer: deployed, followed, rolled back, stopped."""

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
    from deployment import production_scorer, stop
    from deployment import zenml as zenml_target

    made = FakeZenml()
    for module in (zenml_target, stop):
        monkeypatch.setattr(module, "find_deployment", made.find)
        monkeypatch.setattr(module, "stop_deployment", made.stop)
    monkeypatch.setattr(zenml_target, "Program", made.program)
    monkeypatch.setattr(zenml_target, "active_stack", lambda: "local")
    monkeypatch.setattr(zenml_target, "_SWAP_SECONDS", 0.0)
    monkeypatch.setattr(production_scorer, "CHECK_SECONDS", 0.0)
    yield made
    made.close()


def test_the_first_deployment_is_made_by_the_command_and_tested_on_every_golden_row(
    deployer, zenml
):
    done = deployer.deploy(ZENML)

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    assert done.place == zenml.deployments[NAME].address
    assert zenml.commands == [
        f"deploy --stack local --store {deployer.store} --name {NAME} --state {deployer.output}"
    ]
    assert f"$ python -m runner.scoring_service {zenml.commands[0]}" in done.actions
    (route,) = done.smoke.routes
    assert (route.path, route.largest, route.faults) == ("/invoke", 0.0, ())
    assert route.rows >= 10


def test_what_runs_follows_the_next_version_without_being_deployed_again(deployer, zenml):
    deployer.deploy(ZENML)
    deployer.promote("2")

    done = deployer.deploy(ZENML)

    assert (done.status, done.serving) == ("deployed", "2"), done.sentence
    assert len(zenml.commands) == 1
    assert any("answers at" in action and "already" in action for action in done.actions)


def test_a_keyed_deployment_is_tested_with_the_key_that_zenml_made(deployer, zenml):
    done = deployer.deploy(ZENML, "zenml.keyed=true")

    assert done.status == "deployed", done.sentence
    assert "--keyed" in zenml.commands[0]
    key = zenml.deployments[NAME].key
    assert key
    assert key not in done.model_dump_json()


def test_a_first_deployment_that_answers_wrongly_is_stopped(deployer, zenml):
    zenml.off_by = 1e-9

    done = deployer.deploy(ZENML)

    assert (done.status, done.serving) == ("rolled back", None), done.sentence
    assert "where the bundle has" in done.reason
    assert done.sentence.endswith("The deployment was stopped; none ran before.")
    assert zenml.deployments == {}


def test_a_deployment_that_replaced_another_and_answers_wrongly_is_replaced_by_it_again(
    deployer, zenml
):
    before, after = free_port(), free_port()
    deployer.deploy(ZENML, f"zenml.port={before}")
    deployer.promote("2")
    zenml.off_by = 1e-9

    done = deployer.deploy(ZENML, f"zenml.port={after}")

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert current(deployer.store).version == "1"
    assert [line.rpartition("--port ")[2].split()[0] for line in zenml.commands] == [
        str(before),
        str(after),
        str(before),
    ]
    assert zenml.deployments[NAME].address == done.place == f"http://127.0.0.1:{before}"


def test_a_deployment_that_follows_and_answers_wrongly_goes_back_to_the_version_before(
    deployer, zenml
):
    zenml.off_by = 1e-9
    zenml.run("deploy", "--stack", "local", "--store", str(deployer.store), "--name", NAME)
    deployer.promote("2")

    done = deployer.deploy(ZENML)

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert current(deployer.store).version == "1"
    assert len(zenml.commands) == 1


def test_a_command_that_fails_is_a_rollback_with_its_reason(deployer, zenml):
    zenml.broken = True

    done = deployer.deploy(ZENML)

    assert (done.status, done.reason) == ("rolled back", "The command failed: it is broken.")
    assert zenml.deployments == {}


def test_a_dry_run_shows_the_command_and_changes_nothing(deployer, zenml):
    done = deployer.deploy(ZENML, "dry_run=true", "zenml.name=other")

    assert done.status == "dry run"
    assert done.actions[-1].startswith("$ python -m runner.scoring_service deploy --stack local")
    assert (zenml.commands, zenml.deployments) == ([], {})


def test_a_deployment_of_another_pipeline_is_left_alone(deployer, zenml):
    deployer.deploy(ZENML)
    zenml.deployments[NAME] = replace(zenml.deployments[NAME], store=None)

    for ask in (deployer.deploy, deployer.stop):
        with pytest.raises(InputError, match="is not one of the scoring pipeline"):
            ask(ZENML, *(["action=stop"] if ask == deployer.stop else []))

    assert NAME in zenml.deployments


def test_a_port_that_is_taken_is_named_with_the_next(deployer, zenml):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(InputError, match=rf"Port {port} .* --set zenml\.port={port + 1}"):
            deployer.deploy(ZENML, f"zenml.port={port}")


def test_it_is_stopped_by_its_name_and_not_by_a_dry_run(deployer, zenml):
    deployer.deploy(ZENML)

    dry_run = deployer.stop(ZENML, "action=stop", "dry_run=true")
    assert NAME in zenml.deployments
    stopped = deployer.stop(ZENML, "action=stop")
    again = deployer.stop(ZENML, "action=stop")

    assert (dry_run.status, stopped.status) == ("dry run", "stopped")
    assert zenml.deployments == {}
    assert again.sentence == f"ZenML has no deployment '{NAME}'"


def test_a_stack_without_a_deployer_is_refused_before_anything_starts(tmp_path):
    overrides = (ZENML, f"output.folder={tmp_path}")

    with pytest.raises(InputError, match=r"Stack 'cloud' has no deployer; add `deployer:"):
        prepare_run(RunRequest("deployment", stack="cloud", overrides=overrides))

    prepare_run(RunRequest("deployment", stack="cloud", overrides=(*overrides, "action=stop")))
