"""The real tools, without an engine or a cluster: Compose, hadolint, kubectl's kustomize."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml

OVERLAYS = ("kind", "production", "streaming")


@pytest.fixture(scope="session")
def script(root: Path):
    """Loads a file of tools/ as a module."""

    def load(name: str):
        spec = spec_from_file_location(name, root / "tools" / f"{name}.py")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tool():
    """Runs a program of this environment."""

    def run(name: str, *arguments: str, cwd: Path, **variables: str):
        # Only what a program needs to run: nobody's own settings decide what a test sees.
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [Path(sys.executable).with_name(name), *arguments],
            cwd=cwd,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def secrets_file(script, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What tools/compose_secrets.py draws."""
    out = tmp_path_factory.mktemp("compose") / "compose.env"
    assert script("compose_secrets").main(out) == 0
    return out


@pytest.fixture(scope="session")
def rendered(root: Path, script) -> dict[str, list[dict]]:
    """What `kubectl apply -k` would send, by overlay."""
    kubectl = script("fetch_kubectl").kubectl()

    def render(folder: str) -> list[dict]:
        command = [kubectl, "kustomize", root / "deployment" / "manifests" / "kubernetes" / folder]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        assert answer.stderr == ""  # a deprecated field is a warning there
        return list(yaml.safe_load_all(answer.stdout))

    found = {name: render(f"overlays/{name}") for name in OVERLAYS}
    return found | {"publisher": render("publisher")}
