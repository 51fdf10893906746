"""One folder keeps everything: two never meet, and one that is deleted is as if it had never been."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.servers.process import free_port

PROJECT = (
    *("churn", "configs", "data", "deployment", "materializers", "pipelines", "registry", "runner"),
    *("service", "stacks", "steps"),
)
Command = Callable[..., dict[str, Any]]
BY_A_PERSON = [f"override.{key}={value}" for key, value in
               {"person": "Ada", "version": 1, "reason": "a quick model, for a test"}.items()]  # fmt: skip


@pytest.fixture(scope="module")
def environment(isolated_environment):
    """A user who has named no folder of ZenML's, nor one of ours."""
    return {
        name: value for name, value in isolated_environment.items() if name != "ZENML_CONFIG_PATH"
    }


@pytest.fixture(scope="module")
def clone(root, environment, tmp_path_factory) -> Callable[[str], Command]:
    """Makes a clone, and a command that runs a pipeline in it, by default a quick training."""

    def make(name: str) -> Command:
        place = tmp_path_factory.mktemp(name)
        for folder in PROJECT:
            shutil.copytree(root / folder, place / folder)
        for file in ("run.py", "pyproject.toml", *(each.name for each in root.glob("*.lock"))):
            shutil.copy(root / file, place)

        def run(*settings: str, pipeline: str = "training", home: Path | None = None):
            options = [word for each in settings for word in ("--set", each)]
            profile = ["--set", "profile=demo"]
            ended = subprocess.run(
                [sys.executable, "run.py", "--pipeline", pipeline, "--json", *profile, *options],
                cwd=place,
                env=environment | ({"CHURN_HOME": str(home)} if home else {}),
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            assert ended.returncode == 0, ended.stderr
            return json.loads(ended.stdout) | {"said": ended.stderr, "clone": place}

        return run

    return make


@pytest.fixture(scope="module")
def first(clone) -> Command:
    return clone("first")


@pytest.fixture(scope="module")
def both(first, tmp_path_factory):
    """Two trainings of one clone at once, each with a folder of its own."""
    folders = [tmp_path_factory.mktemp(name) / "state" for name in ("one", "other")]
    with ThreadPoolExecutor(2) as terminals:
        named = terminals.submit(first, f"output.folder={folders[0]}")
        home = terminals.submit(first, home=folders[1])
        return list(zip(folders, (named.result(), home.result()), strict=True))


def _tracked(folder: Path) -> int:
    with sqlite3.connect(folder / "mlflow.db") as database:
        return int(database.execute("SELECT COUNT(*) FROM runs").fetchone()[0])


def test_two_trainings_at_once_keep_everything_apart(both):
    for folder, result in both:
        assert _tracked(folder) == 1
        assert result["model_version"] == "1"
        assert result["artifacts"]
        assert all(
            Path(each["uri"]).is_relative_to(folder) for each in result["artifacts"].values()
        )
        assert Path(result["report"]).is_relative_to(folder)
        assert not (result["clone"] / ".churn").exists()
        assert "says" not in result["said"]  # no variable was set, so none is named


def test_a_deleted_folder_is_as_if_it_had_never_been(first, both):
    folder = both[0][0]
    output = f"output.folder={folder}"
    first(output, *BY_A_PERSON, pipeline="promotion")
    shutil.rmtree(folder)

    trained = first(output)
    promoted = first(output, *BY_A_PERSON, pipeline="promotion")
    port = f"local.port={free_port()}"
    served = first(output, port, pipeline="deployment")
    first(output, port, "action=stop", pipeline="deployment")

    assert (trained["model_version"], trained["stage"]) == ("1", "staging")
    assert "cached" not in trained["said"]
    assert _tracked(folder) == 1
    assert (promoted["model_version"], promoted["stage"]) == ("1", "production")
    assert served["model_version"] == "1"
    assert (folder / "scratch").is_dir()  # the service's, too


def test_a_second_clone_knows_nothing_of_the_firsts_champion(clone, first, both):
    second = clone("second")
    trained = second()
    promoted = second(*BY_A_PERSON, pipeline="promotion")

    assert trained["model_version"] == "1"
    assert promoted["stage"] == "production"
    assert not promoted["clone"].joinpath("mlflow.db").exists()
    assert {each.name for each in (promoted["clone"] / ".churn").iterdir()} >= {
        *("zenml", "mlflow.db", "production", "ledger.db", "reports")
    }
