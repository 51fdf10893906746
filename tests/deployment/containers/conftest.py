"""The real tools, without an engine or a cluster: Compose, hadolint, kubectl's kustomize."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tests.servers.kustomize import render_manifests

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
    """The file that tools/compose_secrets.py writes."""
    out = tmp_path_factory.mktemp("compose") / "compose.env"
    assert script("compose_secrets").main(out) == 0
    return out


@pytest.fixture(scope="session")
def rendered() -> dict[str, list[dict]]:
    """What `kubectl apply -k` would send, by overlay."""
    found = {name: render_manifests(f"overlays/{name}") for name in OVERLAYS}
    return found | {"publisher": render_manifests("publisher")}
