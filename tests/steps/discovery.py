"""Every ZenML step of the project, found by importing whatever lies under steps/ and pipelines/."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import pipelines
import steps

# MLflow runs this file beside a model; imported, it opens a context of its own. It holds no step.
_NOT_IMPORTED = ("registry.mlflow_model",)


def steps_of_the_project() -> dict[str, str]:
    """Each step's name, and the module that it is written in."""
    from zenml.steps import BaseStep

    steps_by_name = {}
    for module in _modules(steps, pipelines):
        for each in vars(module).values():
            if isinstance(each, BaseStep):
                steps_by_name[each.name] = each.entrypoint.__module__
    return steps_by_name


def _modules(*packages: ModuleType) -> Iterator[ModuleType]:
    for package in packages:
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            if info.name not in _NOT_IMPORTED:
                yield import_module(info.name)
