"""`run.py stack ...` on a real ZenML configuration (this session's own, on SQLite)."""

from __future__ import annotations

import json
import os
from unittest import mock

import pytest

import run
from churn.errors import InputError
from stacks.manage import delete_stack, diff_stack, list_stacks, show_stack
from stacks.spec import OwnComponent, StackSpec, load_stack


@pytest.fixture(scope="module", autouse=True)
def zenml_of_this_session(session_zenml):
    return session_zenml


@pytest.fixture(autouse=True)
def own_process():
    """Resets the process's environment; deletes the stacks before and after."""
    with mock.patch.dict(os.environ):
        nothing_applied()
        yield
        nothing_applied()


def nothing_applied() -> None:
    """Takes away every stack and component but ZenML's own; tests beside these make some, too."""
    from zenml.client import Client

    client = Client()
    client.activate_stack("default")
    for stack in client.list_stacks(size=100).items:
        if stack.name != "default":
            client.delete_stack(stack.id)
    for component in client.list_stack_components(size=100).items:
        if component.name != "default":
            client.delete_stack_component(component.id, component.type)


@pytest.fixture
def run_stack(tmp_path, capfd):
    """Types `run.py stack ...` and returns the exit code, stdout and stderr."""

    def typed(*words: str) -> tuple[int, str, str]:
        code = run.main(["stack", *words, "--state", str(tmp_path)])
        output = capfd.readouterr()
        return code, output.out, output.err

    return typed


def components() -> set[str]:
    from zenml.client import Client

    return {found.name for found in Client().list_stack_components(size=100).items}


def test_a_difference_is_shown_and_nothing_is_changed(run_stack):
    before = components()

    code, out, _ = run_stack("diff", "local-mlflow")

    assert code == 0
    assert "+ experiment_tracker churn-mlflow" in out
    assert "+ stack local-mlflow" in out
    assert components() == before


def test_applying_makes_the_listed_changes_and_then_there_are_none(run_stack):
    code, out, _ = run_stack("apply", "local-mlflow")
    assert code == 0
    assert "+ stack local-mlflow" in out

    code, out, _ = run_stack("diff", "local-mlflow")

    assert (code, out) == (
        0,
        "local-mlflow: nothing to change; ZenML holds it as the file says\n",
    )


def test_a_changed_value_is_shown_as_before_and_after(tmp_path):
    from stacks.apply import apply_stack

    spec = load_stack("local-mlflow")
    apply_stack(spec, {"state": str(tmp_path / "old")})

    (change,) = diff_stack(spec, {"state": str(tmp_path / "new")})

    assert (change.action, change.name) == ("update", "churn-mlflow")
    assert change.details == (
        f"tracking_uri: sqlite:///{tmp_path}/old/mlflow.db → sqlite:///{tmp_path}/new/mlflow.db",
    )


def test_the_list_has_the_status_of_each_stack_and_which_is_active(run_stack):
    run_stack("apply", "local")
    code, out, _ = run_stack("list", "--json")

    assert code == 0
    stacks = {each["name"]: each for each in json.loads(out)["stacks"]}
    assert stacks["local"]["standing"] == "applied"
    assert stacks["local-mlflow"]["standing"] == "not applied"
    assert not any(each["active"] for each in stacks.values())

    assert run_stack("activate", "local")[0] == 0
    stacks = {each["name"]: each for each in json.loads(run_stack("list", "--json")[1])["stacks"]}
    assert stacks["local"]["active"]


def test_a_stack_whose_variables_are_not_set_is_listed_with_their_names(monkeypatch, tmp_path):
    (tmp_path / "far.yaml").write_text(
        "name: far\ndescription: A stack elsewhere.\nneeds: [no_such_module]\n"
        "server: {url: '${env:FAR_URL}', api_key: '${env:FAR_KEY}'}\n"
        "components: {orchestrator: {use: default}, artifact_store: {use: default}}\n"
    )
    monkeypatch.setattr("stacks.manage.stack_names", lambda: ("far",))
    monkeypatch.setattr("stacks.manage.load_stack", lambda name: load_stack(name, tmp_path))
    monkeypatch.setenv("FAR_KEY", "secret")

    (found,) = list_stacks({"state": str(tmp_path)})

    assert found.status == "not set up"
    assert found.remark == "FAR_URL unset; no_such_module not installed"


def test_the_active_stack_is_not_deleted(run_stack):
    run_stack("activate", "local")

    code, out, err = run_stack("delete", "local")

    assert (code, out) == (2, "")
    assert "is the active one; set another first" in err


def test_deleting_takes_what_no_other_stack_uses_and_nothing_else(tmp_path):
    from stacks.apply import apply_stack

    values = {"state": str(tmp_path)}
    first = load_stack("local-mlflow")
    shared = first.components["experiment_tracker"]
    second = StackSpec(
        name="second",
        description="Uses the same tracker.",
        components={**first.components, "experiment_tracker": shared},
    )
    apply_stack(first, values)
    apply_stack(second, values)

    assert [str(each) for each in delete_stack(second, values)] == ["delete stack second"]
    assert "churn-mlflow" in components()
    assert [str(each) for each in delete_stack(first, values)] == [
        "delete stack local-mlflow",
        "delete experiment_tracker churn-mlflow",
    ]
    assert "default" in components()
    assert delete_stack(first, values) == ()


def test_a_stack_of_another_project_is_not_deleted(tmp_path):
    from zenml.client import Client
    from zenml.enums import StackComponentType

    kinds = (StackComponentType.ORCHESTRATOR, StackComponentType.ARTIFACT_STORE)
    made = Client().create_stack(name="local", components=dict.fromkeys(kinds, "default"))

    with pytest.raises(InputError, match="did not make"):
        delete_stack(load_stack("local"), {"state": str(tmp_path)})

    assert Client().get_stack(made.id).name == "local"


def test_what_a_stack_is_made_of_is_shown_without_its_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("FAR_KEY", "secret-value")
    spec = StackSpec.model_validate(
        {
            "name": "far",
            "description": "A stack elsewhere.",
            "server": {"url": "${env:FAR_URL}", "api_key": "${env:FAR_KEY}"},
            "components": {
                "experiment_tracker": {
                    "name": "churn-far",
                    "flavor": "mlflow",
                    "configuration": {
                        "tracking_uri": "http://someone:secret-value@mlflow",
                        "tracking_password": "secret-value",
                        "tracking_token": "{{far.token}}",
                    },
                }
            },
            "places": {"ledger": "postgresql://ledger:secret-value@db/ledger"},
        }
    )

    shown = show_stack(spec, {"state": str(tmp_path)})

    assert "secret-value" not in json.dumps(shown)
    assert shown["server"]["url"] == "${env:FAR_URL}"
    tracker = shown["components"]["experiment_tracker"]["configuration"]
    assert tracker["tracking_token"] == "{{far.token}}"
    assert tracker["tracking_uri"] == "http://***@mlflow"


def test_an_unknown_stack_is_one_sentence_and_exit_code_two(run_stack):
    code, out, err = run_stack("show", "local-mlfow")

    assert (code, out) == (2, "")
    assert "Did you mean 'local-mlflow'?" in err


def test_a_secret_that_is_not_there_is_named_with_the_command_that_makes_it(tmp_path):
    from zenml.client import Client

    spec = load_stack("local").model_copy(update={"secrets": {"churn-test": ("key", "token")}})
    values = {"state": str(tmp_path)}
    with pytest.raises(InputError, match=r"`zenml secret create churn-test --key=\.\.\. --token"):
        diff_stack(spec, values)

    Client().create_secret("churn-test", {"key": "k"})
    try:
        with pytest.raises(InputError, match="lacks token"):
            diff_stack(spec, values)
    finally:
        Client().delete_secret("churn-test")


def test_a_refused_configuration_leaves_no_half_made_stack(tmp_path):
    from stacks.apply import apply_stack

    spec = load_stack("local").model_copy(
        update={
            "name": "odd",
            "components": {
                **load_stack("local").components,
                "alerter": OwnComponent(
                    name="churn-fine", flavor="slack", configuration={"slack_token": "x"}
                ),
                "experiment_tracker": OwnComponent(
                    name="churn-odd", flavor="mlflow", configuration={"no_such_setting": "x"}
                ),
            },
        }
    )

    with pytest.raises(InputError, match="churn-odd"):
        apply_stack(spec, {"state": str(tmp_path)})

    assert not {"churn-odd", "churn-fine"} & components()
    from zenml.client import Client

    assert not Client().list_stacks(name="odd").items
