"""What the environment says about ZenML's store is checked before ZenML is imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from churn.errors import ChurnError, InputError
from stacks.zenml_store import named_elsewhere, open_zenml, require_store
from tests.servers.process import free_port

STATE = Path("/proc/nowhere/state")
"""The state folder: it is not looked at while ZENML_CONFIG_PATH names another."""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """A folder of ZenML's that this test may break, and nothing else set."""
    for name in os.environ:
        if name.startswith(("ZENML_STORE_", "ZENML_LOCAL_", "ZENML_ACTIVE_")) or name.endswith(
            "_PROXY"
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "zenml"))
    return tmp_path / "zenml"


def test_a_folder_that_is_not_there_is_fine_and_not_created(own_folder):
    url, _ = require_store(STATE)

    assert url == f"sqlite:///{own_folder}/local_stores/default_zen_store/zenml.db"
    assert not own_folder.exists()


@pytest.mark.parametrize(
    ("variables", "code", "reason"),
    [
        ({"ZENML_STORE_URL": "oracle://u:hidden@x"}, 2, "ZENML_STORE_URL is 'oracle://x', which"),
        ({"ZENML_STORE_URL": "mysql+pymysql://x/y"}, 2, "is 'mysql.pymysql://x/y', which is no address"),
        ({"ZENML_STORE_URL": ""}, 2, "ZENML_STORE_URL is '', which is no address"),
        ({"ZENML_STORE_URL": "sqlite://"}, 2, "ZENML_STORE_URL is 'sqlite://', which is no"),
        ({"ZENML_STORE_URL": "mysql://host:many/z"}, 2, "mysql://host:many/z is no address"),
        ({"ZENML_STORE_URL": "mysql://u:hidden@127.0.0.1:{free}/z"}, 1, "does not answer (.*refused"),
        ({"ZENML_STORE_URL": "mysql://nowhere.invalid/z"}, 1, "mysql://nowhere.invalid/z does not"),
        ({"ZENML_STORE_URL": "http://127.0.0.1:{free}"}, 1, "does not answer as one (.*refused"),
        (
            {"ZENML_STORE_URL": "http://zenml.invalid", "HTTP_PROXY": "http://u:hidden@127.0.0.1:{free}"},
            1,
            "by the proxy http://127.0.0.1:[0-9]+ of HTTP_PROXY",
        ),
        ({"ZENML_STORE_URL": "http://zenml.invalid", "ALL_PROXY": "socks5://x"}, 1, "by the proxy"),
        ({"ZENML_STORE_TYPE": "rest"}, 2, "ZENML_STORE_TYPE is set and ZENML_STORE_URL is not"),
    ],
    ids=lambda value: "" if isinstance(value, int) else None,
)  # fmt: skip
def test_a_foreign_store_is_refused_in_one_sentence_with_its_variable(
    monkeypatch, variables, code, reason
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(free=free_port()))

    with pytest.raises(ChurnError) as refused:
        require_store(STATE)

    sentence = str(refused.value)
    assert refused.value.exit_code == code
    assert re.search(reason.replace("(", r"\("), sentence), sentence
    assert sentence.rstrip(".").endswith("unset it")
    assert "ZENML_STORE_" in sentence
    assert "hidden" not in sentence
    assert "\n" not in sentence


def test_the_store_that_zenml_is_logged_in_to_is_checked_and_its_file_named(own_folder):
    own_folder.mkdir()
    configuration = own_folder / "config.yaml"
    configuration.write_text(f"store: {{type: rest, url: 'http://127.0.0.1:{free_port()}'}}\n")

    with pytest.raises(ChurnError, match=f"start it, or correct {configuration}, or name another"):
        require_store(STATE)


@pytest.mark.parametrize("content", ["store: [", "- a list", "store: text", "\x00"])
def test_a_configuration_that_is_none_is_named(own_folder, content):
    own_folder.mkdir()
    (own_folder / "config.yaml").write_text(content)

    with pytest.raises(InputError, match=f"configuration {own_folder}/config.yaml cannot be read"):
        require_store(STATE)


def test_a_folder_of_zenml_that_is_a_file_names_the_variable(own_folder):
    own_folder.touch()

    with pytest.raises(
        InputError, match=r"zenml cannot be written to .* with ZENML_CONFIG_PATH\.$"
    ):
        require_store(STATE)


@pytest.fixture
def state(monkeypatch, tmp_path):
    """A state folder that nothing in the environment overrules."""
    monkeypatch.delenv("ZENML_CONFIG_PATH")
    return tmp_path / "state"


def test_two_state_folders_have_two_stores_each_inside_its_own(state, tmp_path):
    stores = [require_store(folder)[0] for folder in (state, tmp_path / "other")]

    assert stores == [
        f"sqlite:///{folder}/zenml/local_stores/default_zen_store/zenml.db"
        for folder in (state, tmp_path / "other")
    ]
    assert named_elsewhere(state) == ""
    assert not state.exists()


@pytest.mark.parametrize("variable", ["ZENML_CONFIG_PATH", "ZENML_LOCAL_STORES_PATH"])
def test_a_variable_wins_and_is_named(state, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path / "mine"))

    url, _ = require_store(state)

    assert url.startswith(f"sqlite:///{tmp_path}/mine/")
    assert named_elsewhere(state) == f"{variable}={tmp_path}/mine"


def test_a_server_that_is_named_is_said_without_its_password(state, monkeypatch):
    monkeypatch.setenv("ZENML_STORE_URL", "mysql://u:hidden@host/z")

    assert named_elsewhere(state) == "ZENML_STORE_URL=mysql://host/z"


def test_a_variable_that_names_the_state_folders_own_is_nothing_to_say(state, monkeypatch):
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(state / "zenml"))

    assert named_elsewhere(state) == ""


def test_a_state_folder_that_cannot_be_written_is_refused(monkeypatch):
    monkeypatch.delenv("ZENML_CONFIG_PATH")

    with pytest.raises(InputError, match=r"^The folder /proc/nowhere/state/zenml cannot be"):
        require_store(STATE)


@pytest.mark.parametrize(
    "left", ["production/current.json", "production/a-model/current.json", "mlflow.db"]
)
def test_a_state_folder_whose_registry_lies_elsewhere_is_refused(state, monkeypatch, left):
    (state / left).parent.mkdir(parents=True)
    (state / left).write_text("")

    with pytest.raises(InputError, match=rf"has {left}, .*; go on there with `export ZENML_CON"):
        require_store(state)

    monkeypatch.setenv("ZENML_CONFIG_PATH", str(state.parent / "before"))
    require_store(state)
    monkeypatch.delenv("ZENML_CONFIG_PATH")
    (state / "zenml").mkdir()
    (state / "zenml" / "config.yaml").write_text("")
    require_store(state)


def test_a_second_state_folder_in_one_process_is_refused(state, tmp_path, monkeypatch):
    monkeypatch.setattr("stacks.zenml_store._chosen", set())
    monkeypatch.setattr("zenml.client.Client", mock.Mock())
    monkeypatch.setenv("ZENML_CONFIG_PATH", "")  # so that it is put back as it was
    open_zenml(state)
    open_zenml(state)
    assert os.environ["ZENML_CONFIG_PATH"] == str(state / "zenml")

    with pytest.raises(ChurnError, match=r"run what keeps its state in .*other in a process of"):
        open_zenml(tmp_path / "other")


def test_what_zenml_itself_refuses_is_one_sentence(monkeypatch):
    monkeypatch.setattr(
        "stacks.zenml_store.require_store", lambda _state: ("sqlite:///x", "unset it")
    )
    monkeypatch.setattr("zenml.client.Client", broken)

    with pytest.raises(
        ChurnError, match=r"^ZenML cannot open its store sqlite:///x: gone; unset it\.$"
    ):
        open_zenml(STATE)


def broken():
    raise RuntimeError(
        "gone [SQL: SELECT 1] (Background on this error at: https://sqlalche.me/e/20/e3q8)"
    )


@pytest.mark.parametrize("kind", ["stack", "project"])
def test_an_active_stack_or_project_that_is_not_there_names_its_variable(
    monkeypatch, session_zenml, kind
):
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(session_zenml))
    monkeypatch.setenv(f"ZENML_ACTIVE_{kind.upper()}_ID", "00000000-0000-0000-0000-000000000001")

    with pytest.raises(
        InputError, match=f"^ZENML_ACTIVE_{kind.upper()}_ID names a {kind} .* unset it"
    ):
        open_zenml(STATE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--pipeline", "training", "--stack", "local"],
        ["stack", "list"],
        ["stack", "diff", "local"],
        ["--doctor"],
    ],
    ids=" ".join,
)
def test_every_command_says_it_without_a_library_around_it(
    arguments, root, isolated_environment, tmp_path
):
    output = ["--set", f"output.folder={tmp_path}"] if "--pipeline" in arguments else []
    variables = {"ZENML_STORE_URL": f"mysql://u:hidden@127.0.0.1:{free_port()}/z"}

    ended = subprocess.run(
        [sys.executable, "-X", "importtime", str(root / "run.py"), *arguments, *output],
        env=isolated_environment | variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    said = [
        line for line in ended.stderr.splitlines() if line and not line.startswith("import time:")
    ]
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.returncode == 1
    assert not {"zenml", "mlflow", "sqlalchemy"} & imported
    assert len(said) <= 3, said  # what runs, where its registry lies, why it does not
    assert "ZenML's database mysql://127.0.0.1:" in ended.stdout + ended.stderr
    assert "hidden" not in ended.stdout + "".join(said)
