"""Imports go one way, the contracts that say so bite, and importing the domain does nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = (
    "churn",
    "deployment",
    "materializers",
    "orchestration",
    "pipelines",
    "registry",
    "runner",
    "service",
    "stacks",
    "steps",
)


@pytest.fixture(scope="module")
def copied(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and the contracts, which may be broken."""
    folder = tmp_path_factory.mktemp("packages")
    for package in PACKAGES:
        shutil.copytree(
            root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copy(root / "pyproject.toml", folder)
    return folder


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--no-logo"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("churn/offender.py", "import mlflow", "The domain is plain Python"),
        ("churn/offender.py", "import zenml.client", "The domain is plain Python"),
        ("churn/offender.py", "import registry.artifacts", "Imports go one way"),
        ("steps/offender.py", "import pipelines", "Imports go one way"),
        ("registry/offender.py", "import deployment.target", "Imports go one way"),
        ("stacks/offender.py", "import materializers", "Stacks and materializers"),
        ("orchestration/offender.py", "import steps.caching", "Dagster calls the runner"),
        ("runner/offender.py", "import dagster", "Nothing but orchestration/"),
        ("runner/offender.py", "import orchestration", "Imports go one way"),
        ("pipelines/offender.py", "import run", "Nothing imports run.py"),
        ("service/offender.py", "import zenml", "The service knows the domain"),
        ("service/offender.py", "import registry.artifacts", "The service knows the domain"),
        ("churn/offender.py", "import service.core.keys", "The domain does not know the service"),
    ],
)
def test_an_import_against_the_plan_is_caught(copied, file, line, contract):
    offender = copied / file
    offender.write_text(f"{line}\n")
    try:
        verdict = lint_imports(copied)
    finally:
        offender.unlink()

    broken = [text for text in verdict.stdout.splitlines() if text.endswith("BROKEN")]
    assert verdict.returncode == 1
    assert any(text.startswith(contract) for text in broken), verdict.stdout


def test_a_circle_of_imports_is_caught(copied):
    one, two = copied / "churn" / "circle_one.py", copied / "churn" / "circle_two.py"
    one.write_text("import churn.circle_two\n")
    two.write_text("import churn.circle_one\n")
    try:
        verdict = lint_imports(copied)
    finally:
        one.unlink()
        two.unlink()

    assert verdict.returncode == 1
    assert "No import runs in a circle BROKEN" in verdict.stdout


WATCHED_IMPORT = """
import importlib, os, pkgutil, sys

touched = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR) and os.fspath(path) != os.devnull:
            touched.append(f"opened {path} for writing")
    elif event in ("os.mkdir", "os.rename", "os.remove", "socket.connect", "socket.getaddrinfo"):
        touched.append(f"{event} {arguments}")

names = [module.name for module in pkgutil.walk_packages([sys.argv[1] + "/churn"], "churn.")]
libraries = ["lightgbm", "matplotlib.figure", "pandas", "sklearn.linear_model", "great_expectations"]
for name in libraries:  # what these do to find their fonts and caches is theirs
    importlib.import_module(name)
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
assert len(names) > 10, names
stacked = sorted({"zenml", "mlflow", "fastapi", "kafka", "dagster"} & set(sys.modules))
print(*touched, *stacked, sep="\\n")
"""


def test_importing_the_domain_touches_neither_disk_nor_network_nor_stack(root, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED_IMPORT, str(root)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "HOME": str(tmp_path), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == ""
