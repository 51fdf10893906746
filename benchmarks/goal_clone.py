"""From a clone to a registered model, installing included."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.goals import Figure
from benchmarks.measuring import ROOT, own_environment, run
from benchmarks.trainings import Trainings

LIMIT = 180.0
_CACHES = ("PIP_CACHE_DIR", "UV_CACHE_DIR")


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Wall seconds of `git clone` and `make train`, with an empty home and empty caches."""
    values = tuple(_clone_and_train() for _ in range(1 if trainings.quick else trainings.runs))
    how = "wall of git clone + make train of the last commit; empty home, nothing cached"
    yield Figure("clone to registered model", LIMIT, "s", values, how)


def _clone_and_train() -> float:
    with tempfile.TemporaryDirectory(prefix="churn-clone-") as name:
        home, project = Path(name) / "home", Path(name) / "project"
        home.mkdir()
        environment = own_environment(home)
        environment = {key: text for key, text in environment.items() if key not in _CACHES}
        del environment["ZENML_CONFIG_PATH"]  # a newcomer has none: it follows the home
        cloned = run(["git", "clone", "--quiet", str(ROOT), str(project)], environment)
        trained = run(["make", "train"], environment, folder=project)
        return cloned.wall + trained.wall
