"""What the kubernetes stack brings into a cluster: kustomize's manifests, and ZenML's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.kustomize import render_manifests

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # `stack_variables` is beside this file


@pytest.fixture(scope="session")
def deployed() -> list[dict[str, Any]]:
    """What `kubectl apply -k deployment/manifests/kubernetes/pipelines` would send."""
    return render_manifests("pipelines")


@pytest.fixture(scope="session")
def one(deployed: list[dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The one resource of a kind and, where there are more, of a name."""

    def find(kind: str, name: str | None = None) -> dict[str, Any]:
        (found,) = [
            each
            for each in deployed
            if each["kind"] == kind and name in (None, each["metadata"]["name"])
        ]
        return found

    return find


@pytest.fixture(scope="session")
def compiled(
    isolated_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The training compiled for the stack: `manifests` that ZenML would create, and its `steps`."""
    from stack_variables import VARIABLES

    folder = tmp_path_factory.mktemp("compiled")
    answer = folder / "answer.json"
    ended = subprocess.run(
        [sys.executable, str(HERE / "compile_stack.py"), str(answer), str(folder / "state")],
        cwd=folder,
        env=isolated_environment | VARIABLES | {"ZENML_CONFIG_PATH": str(folder / "zenml")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(answer.read_text(encoding="utf-8"))
