"""Renders the manifests with the real kubectl, which needs no cluster for that."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.fetch_kubectl import kubectl

MANIFESTS = Path(__file__).resolve().parents[2] / "deployment" / "manifests" / "kubernetes"


def render_manifests(folder: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` of a folder of deployment/manifests/kubernetes would send."""
    command = [kubectl(), "kustomize", MANIFESTS / folder]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""  # kubectl warns of a deprecated field there
    return list(yaml.safe_load_all(answer.stdout))
