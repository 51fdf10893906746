"""A skipped test is told loudly, and is a failure on CI unless it is marked as optional."""

import os
import re
import subprocess
import sys

import pytest

CONFTEST = """
from pathlib import Path
import tests.suite as suite
suite.TESTS = Path(__file__).parent
suite.NOT_TESTED = suite.TESTS / "not-tested.txt"
pytest_plugins = ["tests.suite"]
"""
TESTS = """
import pytest

def test_of_a_server():
    pytest.skip("no server is here")

@pytest.mark.skipif(True, reason="no server is here")
def test_of_the_same_server():
    pass

@pytest.mark.optional
def test_of_a_file_that_few_have():
    pytest.skip("no file is here")

def test_of_nothing():
    pass
"""


@pytest.fixture
def run(root, tmp_path):
    """Runs pytest on a folder of four tests, three of which are skipped."""
    (tmp_path / "pyproject.toml").write_text((root / "pyproject.toml").read_text())
    (tmp_path / "these").mkdir()
    (tmp_path / "these" / "conftest.py").write_text(CONFTEST)
    (tmp_path / "these" / "test_these.py").write_text(TESTS)

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        command = [sys.executable, "-m", "pytest", "-c", tmp_path / "pyproject.toml", "these"]
        return subprocess.run(
            [*command, "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(root)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_what_was_skipped_is_one_line_at_the_end_and_in_a_file(run, tmp_path):
    ended = run("-n", "2")

    line = "NOT TESTED HERE, 2 tests were skipped. 2 tests: no server is here."
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count(line) == 1
    assert (tmp_path / "these" / "not-tested.txt").read_text() == f"{line}\n"


def test_where_nothing_was_skipped_nothing_is_said(run, tmp_path):
    (tmp_path / "these" / "not-tested.txt").write_text("of the run before\n")

    ended = run("-k", "of_nothing or few_have")

    assert ended.returncode == 0, ended.stdout
    assert "1 passed, 1 skipped" in ended.stdout
    assert "NOT TESTED" not in ended.stdout
    assert not (tmp_path / "these" / "not-tested.txt").exists()


def test_with_ci_set_a_skip_is_a_failure_unless_it_is_optional(run):
    ended = run(CI="1")

    assert ended.returncode == 1
    assert re.search(r"1 failed, 1 passed, 1 skipped,.* 1 error", ended.stdout)
    assert "Not tested: no server is here. Nothing may be skipped with CI set." in ended.stdout


def test_every_group_that_begins_first_is_there(root):
    from tests.suite import LONGEST_FIRST

    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)
    assert [name for name in LONGEST_FIRST if not (root / "tests" / name).exists()] == []


def test_tests_of_a_folder_with_a_conftest_stay_on_one_worker_and_those_of_a_file():
    from tests.suite import group

    assert group("tests/steps/test_data.py::test_one[a::b]") == "steps"
    assert group("tests/stacks/kubernetes/test_rendered.py::test_one") == "stacks/kubernetes"
    assert group("tests/churn/models/test_models_gbm.py::test_one") == (
        "churn/models/test_models_gbm.py"
    )


def test_two_workers_share_the_groups_and_split_none(run, tmp_path):
    """Four folders with a conftest, two files in each; a file leaves the id of its worker."""
    for name, seconds in (("a", 0.3), ("b", 0.1), ("c", 0.1), ("d", 0.1)):
        folder = tmp_path / "these" / name
        folder.mkdir()
        (folder / "conftest.py").touch()
        for file in ("one", "two"):
            (folder / f"test_{file}.py").write_text(
                "import os, pathlib, time, pytest\n"
                "@pytest.mark.parametrize('number', range(3))\n"
                "def test_it(number):\n"
                f"    time.sleep({seconds})\n"
                f"    pathlib.Path(f'ran-{name}-{{os.getpid()}}').touch()\n"
            )

    ended = run("-n", "2", "-k", "test_it")

    assert ended.returncode == 0, ended.stdout
    ran = [path.name.split("-")[1:] for path in tmp_path.glob("ran-*")]
    assert sorted(name for name, _ in ran) == ["a", "b", "c", "d"]
    assert len({worker for _, worker in ran}) == 2
