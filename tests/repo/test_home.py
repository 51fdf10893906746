"""One folder keeps everything, and only one place knows its name."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

from tests.repo.test_files import PACKAGES

NAME = ".churn"


def test_the_folders_name_stands_once_in_the_code(root):
    found = [
        path.relative_to(root).as_posix()
        for package in PACKAGES
        if package != "tests"
        for path in sorted((root / package).rglob("*.py"))
        for text in _texts(path.read_text(encoding="utf-8"))
        if re.search(rf"(^|[/:]){re.escape(NAME)}(/|$)", text)
    ]

    assert found == ["churn/home.py"]


def _texts(code: str) -> list[str]:
    """The texts of a module that are not docstrings."""
    tree = ast.parse(code)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


def test_no_settings_file_names_it(root):
    for path in (root / "configs").glob("*.yaml"):
        lines = [line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()]
        assert not [line for line in lines if NAME in line], path.name


@pytest.mark.parametrize(
    ("home", "found"), [(None, ".churn"), ("state", "state"), ("/some/where", "/some/where")]
)
def test_make_reads_it_where_every_command_does(root, home, found):
    options = [f"CHURN_HOME={home}"] if home else []
    plan = subprocess.run(
        ["make", "-n", "serve", "mlflow", "distclean", *options],
        cwd=root,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert f'ls "{found}"/production/current.json "{found}"/production/*/current.json' in plan
    assert f'check_database "{found}/mlflow.db"' in plan
    assert f"sqlite:///{root / found}/mlflow.db" in plan
    assert re.search(rf'^rm -rf \S+ "{re.escape(found)}"$', plan, re.MULTILINE)


@pytest.mark.parametrize("home", [".", "..", "/"])
def test_make_deletes_no_folder_that_holds_the_checkout(root, tmp_path, home):
    project = tmp_path / "above" / "project"
    project.mkdir(parents=True)
    (project / "Makefile").write_text((root / "Makefile").read_text(encoding="utf-8"))
    (project / ".venv").mkdir()

    ended = subprocess.run(
        ["make", "distclean", f"CHURN_HOME={home}"],
        cwd=project,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode != 0
    assert "holds this checkout" in ended.stderr
    assert (project / ".venv").is_dir()


def test_make_deletes_the_folder_that_is_named_and_no_other(root, tmp_path):
    project, named = tmp_path / "project", tmp_path / "named"
    for folder in (project / ".churn", named):
        folder.mkdir(parents=True)
    (project / "Makefile").write_text((root / "Makefile").read_text(encoding="utf-8"))

    subprocess.run(
        ["make", "distclean", f"CHURN_HOME={named}"],
        cwd=project,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )

    assert not named.exists()
    assert (project / ".churn").is_dir()


def test_serving_sends_nobody_to_a_training_that_would_say_the_same_again(root):
    recipe = (root / "Makefile").read_text(encoding="utf-8").partition("\nserve: ")[2]

    assert "make train" not in recipe.partition("\n\n")[0]
