"""The command line of the deployed scoring pipeline: what it refuses before ZenML is called."""

import json
import subprocess
import sys

import pytest

from churn.errors import ChurnError, InputError
from runner.scoring_service import main
from runner.zenml_deployment import deploy_scoring, invoke_deployment
from stacks.spec import load_stack


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        ("[1]", "is not a JSON object"),
    ],
)
def test_a_customer_file_that_is_none_exits_2(tmp_path, capsys, content, reason):
    file = tmp_path / "customer.json"
    file.write_text(content)

    code = main(["invoke", "--customer", str(file)])

    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith(f"The customer in {file} {reason}")


def test_an_unknown_stack_is_named_with_the_near_one(capsys):
    code = main(["deploy", "--stack", "locl"])

    assert code == 2
    assert "There is no stack 'locl'" in capsys.readouterr().err


def test_a_stack_without_a_deployer_is_refused_with_the_line_to_add(tmp_path):
    spec = load_stack("local")
    bare = {kind: part for kind, part in spec.components.items() if kind != "deployer"}

    with pytest.raises(InputError, match=r"has no deployer; add `deployer: \{use: default\}`"):
        deploy_scoring(str(tmp_path), spec.model_copy(update={"components": bare}), state=tmp_path)


def test_an_address_that_nobody_listens_at_is_a_failure_with_a_sentence():
    with pytest.raises(ChurnError, match=r"http://127\.0\.0\.1:9 does not answer as one \("):
        invoke_deployment("http://127.0.0.1:9", {"tenure": 1})


def test_what_is_asked_of_the_deployment_is_the_fast_way(monkeypatch):
    sent = []

    def answered(url, json, headers, timeout):
        import httpx

        sent.append((url, json, headers))
        outputs = {"customer_score": {"probability": 0.25}}
        return httpx.Response(200, json={"success": True, "outputs": outputs})

    monkeypatch.setattr("httpx.post", answered)

    answer = invoke_deployment("http://there/", {"tenure": 1}, key="open")

    assert answer == {"probability": 0.25}
    request = {"parameters": {"customer": {"tenure": 1}}, "skip_artifact_materialization": True}
    assert sent == [("http://there/invoke", request, {"Authorization": "Bearer open"})]
    assert json.dumps(request)


def test_the_command_of_0_1_0_still_runs(root):
    command = [sys.executable, "-m", "pipelines.scoring_service", "deploy", "--stack", "locl"]

    completed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    assert completed.returncode == 2
    assert "There is no stack 'locl'" in completed.stderr


def test_the_only_model_in_production_is_deployed_and_of_several_one_is_chosen(tmp_path, capsys):
    assert main(["deploy", "--state", str(tmp_path)]) == 2
    assert "Nothing is in production in" in capsys.readouterr().err

    for name in ("gym-churn", "telco-churn"):
        (tmp_path / "production" / name).mkdir(parents=True)
        (tmp_path / "production" / name / "current.json").write_text("{}")

    assert main(["deploy", "--state", str(tmp_path)]) == 2
    assert "2 models have a version in production" in capsys.readouterr().err
