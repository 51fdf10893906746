"""The locks pin everything pyproject.toml asks for, agree with each other, and know no machine."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pins(lock: Path) -> dict[str, str]:
    lines = (line.split("#")[0].strip() for line in lock.read_text().splitlines())
    return dict(line.split("==") for line in lines if line)


@pytest.fixture(scope="module")
def main(root: Path) -> dict[str, str]:
    return pins(root / "requirements.lock")


@pytest.fixture(scope="module")
def deep(root: Path) -> dict[str, str]:
    return pins(root / "requirements-deep.lock")


@pytest.fixture(scope="module")
def data(root: Path) -> dict[str, str]:
    return pins(root / "requirements-data.lock")


@pytest.fixture(scope="module")
def dagster(root: Path) -> dict[str, str]:
    return pins(root / "requirements-dagster.lock")


@pytest.fixture(scope="module")
def dev(root: Path) -> dict[str, str]:
    return pins(root / "requirements-dev.lock")


@pytest.fixture(scope="module")
def stacks(root: Path) -> dict[str, str]:
    return pins(root / "requirements-stacks.lock")


@pytest.fixture(scope="module")
def stream(root: Path) -> dict[str, str]:
    return pins(root / "requirements-stream.lock")


@pytest.fixture(scope="module")
def serve(root: Path) -> dict[str, str]:
    return pins(root / "requirements-serve.lock")


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def test_each_lock_is_the_one_before_and_more(
    main, deep, data, stacks, dagster, dev, serve, stream
):
    assert main.items() < deep.items() < dev.items()
    assert main.items() < data.items() < stacks.items() < dev.items()
    assert data.items() < dagster.items() < dev.items()
    assert serve.items() < stream.items() < dev.items()


def test_every_dependency_is_pinned_within_its_bounds(project, main, deep, dev):
    extras = project["optional-dependencies"]
    requirements = [(text, main) for text in project["dependencies"]]
    requirements += [(text, deep) for text in extras["deep"]]
    requirements += [(text, dev) for extra in extras.values() for text in extra]
    for text, lock in requirements:
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            assert requirement.extras <= set(extras)
            continue
        pinned = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pinned), f"{text} is pinned to {pinned}"


def test_the_main_job_brings_no_tools_of_the_tests(main):
    assert not {"pytest", "ruff", "mypy", "hypothesis", "mkdocs", "coverage"} & set(main)


def test_the_service_runs_on_the_main_jobs_pins_and_without_its_weight(project, main, serve):
    served = {
        canonicalize_name(Requirement(text).name)
        for text in project["optional-dependencies"]["serve"]
    }

    assert served <= set(serve)
    assert serve.items() < main.items()
    assert not {"zenml", "mlflow", "pandas", "scikit-learn", "torch", "pyarrow"} & set(serve)


def test_the_main_job_brings_no_network_and_no_tuning(main):
    assert not {"torch", "tabm", "onnx", "onnxruntime", "optuna", "shap", "deepchecks"} & set(main)


LOCKS = (
    "requirements.lock",
    "requirements-dagster.lock",
    "requirements-data.lock",
    "requirements-deep.lock",
    "requirements-dev.lock",
    "requirements-serve.lock",
    "requirements-stacks.lock",
    "requirements-stream.lock",
)


@pytest.mark.parametrize("name", LOCKS)
def test_a_pin_names_no_build_of_one_index(root, name):
    assert [pin for pin in pins(root / name).values() if "+" in pin] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_machine_and_no_index(root, name):
    text = (root / name).read_text()

    assert "make lock" in text.splitlines()[1]
    assert not re.search(r"(^|\s)(/|file:|https?:|--)", text, re.MULTILINE)


def test_the_tests_run_on_the_locked_versions(dev):
    for name in ("zenml", "mlflow", "scikit-learn", "lightgbm", "numpy", "pandas", "pytest"):
        assert version(name) == dev[name]
