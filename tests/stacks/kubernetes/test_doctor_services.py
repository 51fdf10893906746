"""The doctor before a stack's servers, image and variables; nothing hangs, nothing is a traceback."""

from __future__ import annotations

import json
import time
from importlib import metadata

import pytest
from stack_variables import VARIABLES

import run
from stacks.doctor.image import check_image
from stacks.doctor.services import check_ledger, check_server, check_tracker
from stacks.doctor.stack import check_stack
from stacks.spec import load_stack
from tests.servers.fake_web_server import fake_web_server

KEYS = ("s3_key", "s3_secret", "mlflow_password", "webhook_url", "webhook_secret")


@pytest.fixture
def answers():
    """A ZenML server with the secret, a bucket, MLflow and a registry, all of them one server."""
    values = dict.fromkeys(KEYS, "given")
    version = metadata.version("zenml")
    return {
        "GET /api/v1/info": (200, {"version": version}),
        "POST /api/v1/login": (200, {"access_token": "token"}),
        "GET /api/v1/secrets": (200, {"items": [{"id": "1"}]}),
        "GET /api/v1/secrets/1": (200, {"body": {"values": values}}),
        "HEAD /churn": (200, None),
        "GET /health": (200, "OK"),
        "GET /v2/": (200, {}),
        "HEAD /v2/churn-pipeline/manifests/0.1.0": (200, None),
    }


@pytest.fixture
def spec(answers, tmp_path):
    with fake_web_server(answers) as url:
        image = f"{url.removeprefix('http://')}/churn-pipeline:0.1.0"
        places = {"STACK_ZENML_URL": url, "STACK_MLFLOW_URL": url, "AWS_ENDPOINT_URL": url}
        given = VARIABLES | places | {"STACK_PIPELINE_IMAGE": image}
        yield load_stack("kubernetes").resolved({"state": str(tmp_path)}, given)


def looked(look, spec):
    return {each.subject: each for each in look(spec)}


def test_servers_that_answer_are_fine(spec):
    found = looked(check_server, spec) | looked(check_tracker, spec)

    assert list(found) == ["ZenML server", "secret", "bucket", "MLflow"]
    assert {each.status for each in found.values()} == {"fine"}, found
    assert metadata.version("zenml") in found["ZenML server"].finding


@pytest.mark.parametrize(
    ("question", "answer", "subject", "finding", "remedy"),
    [
        ("GET /api/v1/info", (200, {"version": "0.50.0"}), "ZenML server", "runs ZenML 0.50.0", ""),
        ("POST /api/v1/login", (401, {}), "ZenML server", "refuses the API key (401)", ""),
        ("GET /api/v1/info", (503, {}), "ZenML server", "does not answer as one", "curl --fail"),
        (
            "GET /api/v1/secrets",
            (200, {"items": []}),
            "secret",
            "churn-cloud is not there",
            "zenml secret create churn-cloud --s3_key=...",
        ),
        (
            "GET /api/v1/secrets/1",
            (200, {"body": {"values": dict.fromkeys(KEYS[:4], "given")}}),
            "secret",
            "churn-cloud lacks webhook_secret",
            "zenml secret update churn-cloud --webhook_secret=...",
        ),
        ("HEAD /churn", (404, None), "bucket", "has no bucket 'churn'", "aws s3api head-bucket"),
        ("HEAD /churn", (403, None), "bucket", "refuses the credentials", "aws s3api head-bucket"),
        ("GET /health", (500, None), "MLflow", "does not answer as an MLflow server", "curl"),
    ],
)
def test_what_is_wrong_is_named_with_the_line_to_run(
    spec, answers, question, answer, subject, finding, remedy
):
    answers[question] = answer

    found = (looked(check_server, spec) | looked(check_tracker, spec))[subject]

    assert found.status == "broken"
    assert finding in found.finding
    assert remedy in found.remedy


def test_a_bucket_without_known_keys_is_not_checked(spec, answers):
    answers["GET /api/v1/secrets"] = (200, {"items": []})

    assert "bucket" not in looked(check_server, spec)


def test_an_image_in_its_registry_is_fine(spec):
    found = looked(check_image, spec)

    assert [each.status for each in found.values()] == ["fine", "fine"]


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [(404, "broken", "is not in its registry"), (401, "note", "login"), (500, "note", "500")],
)
def test_a_missing_image_is_broken_and_one_behind_a_login_a_note(
    spec, answers, answer, status, word
):
    answers["HEAD /v2/churn-pipeline/manifests/0.1.0"] = (answer, None)

    found = looked(check_image, spec)["image"]

    assert found.status == status
    assert word in found.finding


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("churn-pipeline:0.1.0", "broken"),
        ("", "broken"),
        ("127.0.0.1:1/churn-pipeline:latest", "note"),
        ("127.0.0.1:1/churn-pipeline", "note"),
    ],
)
def test_an_image_must_name_its_registry_and_should_name_a_version(spec, image, status):
    named = spec.run.image.model_copy(update={"prebuilt": image})
    changed = spec.model_copy(update={"run": spec.run.model_copy(update={"image": named})})

    assert looked(check_image, changed)["image"].status == status


def test_a_ledger_that_does_not_answer_is_reported_without_its_password(spec):
    place = spec.places.model_copy(update={"ledger": "postgresql://churn:hidden@127.0.0.1:1/churn"})

    found = looked(check_ledger, spec.model_copy(update={"places": place}))["ledger"]

    assert found.status == "broken"
    assert "hidden" not in f"{found.finding}{found.remedy}"


def test_unset_variables_are_one_finding_and_what_hangs_on_them_is_left_alone(
    monkeypatch, tmp_path
):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    found = list(check_stack(load_stack("kubernetes"), {"state": str(tmp_path)}))

    assert [(each.subject, each.status) for each in found] == [
        ("modules", "fine"),
        ("variables", "broken"),
    ]
    assert "STACK_ZENML_URL" in found[1].finding
    assert found[1].remedy.startswith("export STACK_ZENML_URL=... ")


def test_a_stack_that_needs_nothing_gets_no_diagnosis(tmp_path):
    assert list(check_stack(load_stack("local"), {"state": str(tmp_path)})) == []


def test_missing_modules_are_named_and_what_needs_them_is_not_checked(monkeypatch, tmp_path):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    nowhere = load_stack("kubernetes").model_copy(
        update={"needs": ("no_such_package", "boto3"), "server": None, "secrets": {}}
    )
    monkeypatch.setattr("stacks.doctor.stack.stack_checks", lambda spec, missing: iter(()))

    found = next(check_stack(nowhere, {"state": str(tmp_path)}))

    assert (found.status, found.finding) == ("broken", "no_such_package not installed")
    assert found.remedy == "make setup-stacks"


def test_a_check_that_fails_itself_does_not_stop_the_others(monkeypatch, tmp_path):
    def fails(spec):
        raise RuntimeError("an error of the check")
        yield

    monkeypatch.setattr(
        "stacks.doctor.stack.stack_checks", lambda spec, missing: iter([("MLflow", fails)])
    )

    found = list(check_stack(load_stack("local"), {"state": str(tmp_path)}))

    assert [(each.subject, each.status) for each in found] == [("MLflow", "broken")]
    assert "an error of the check" in found[0].finding


def test_the_command_line_prints_all_diagnoses_as_json_and_exits_with_1(monkeypatch, capsys):
    closed = "http://127.0.0.1:1"
    places = {"STACK_ZENML_URL": closed, "STACK_MLFLOW_URL": closed, "AWS_ENDPOINT_URL": closed}
    ledger = {"STACK_LEDGER_URL": "postgresql://churn:hidden@127.0.0.1:1/churn"}
    image = {"STACK_PIPELINE_IMAGE": "127.0.0.1:1/churn-pipeline:0.1.0"}
    for name, value in (VARIABLES | places | ledger | image).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STACK_KUBE_CONTEXT", "no-such-context")
    began = time.monotonic()

    code = run.main(["--doctor", "--stack", "kubernetes", "--json"])

    diagnoses = json.loads(capsys.readouterr().out)
    found = {each["subject"]: each["standing"] for each in diagnoses}
    assert code == 1
    assert found["ZenML server"] == found["MLflow"] == found["ledger"] == "broken"
    assert found["context"] == "broken"
    assert found["registry"] == "note"
    assert all(each["remedy"] for each in diagnoses if each["standing"] == "broken")
    assert time.monotonic() - began < 120  # nothing hangs
