"""`run.py --doctor`: checks of this machine, each with a remedy for what it finds."""

from __future__ import annotations

import hashlib
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from churn.contract import load_contract
from churn.errors import ChurnError
from churn.home import home
from churn.root import ROOT
from churn.settings.business_settings import follow_contract
from churn.settings.settings_file import load_settings
from churn.writable import require_writable
from runner.pipeline_catalog import PIPELINES, find_pipeline
from runner.production_check import check_production
from runner.request import PreparedRun
from stacks.connectivity import without_password
from stacks.diagnosis import Diagnosis, Status
from stacks.doctor.stack import check_stack
from stacks.spec import ExistingComponent, load_stack

_FREE_GIGABYTES = 2
_PORTS = {
    5000: "make mlflow (MLFLOW_PORT names another)",
    8000: "make serve (CHURN_PORT names another)",
    8001: "make docs-serve (DOCS_PORT names another)",
    8237: 'make dashboard (ARGS="--port NUMBER" names another)',
}


def diagnose(stack: str, *, root: Path = ROOT) -> list[Diagnosis]:
    """Runs every check of a stack and this machine, and returns the findings.

    Nothing is changed, except that a change of production that was broken off is finished or undone.
    """
    checks: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        _python,
        lambda: _versions(root / "requirements.lock"),
        lambda: _data(root),
        lambda: _settings(root),
        lambda: _stack(stack, root),
        lambda: _space(root),
        _ports,
    )
    findings = [finding for check in checks for finding in check()]
    if any(each.status == "broken" for each in findings):
        return findings
    return [*findings, *_production(stack, root)]


def _python() -> Iterator[Diagnosis]:
    version = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info[:2] == (3, 11)
    remedy = "" if fine else "Run `make train`, which makes .venv with Python 3.11, and use that."
    yield Diagnosis("Python", "fine" if fine else "broken", version, remedy)


def _versions(lock: Path) -> Iterator[Diagnosis]:
    if not lock.is_file():
        yield Diagnosis("packages", "broken", f"{lock.name} is missing", "Check it out again.")
        return
    pins = [
        line.split("#")[0].split(";")[0].strip().split("==")
        for line in lock.read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    ]
    wrong, missing = [], []
    for name, pinned in pins:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if installed != pinned:
            wrong.append(f"{name} {installed} instead of {pinned}")
    if not wrong and not missing:
        yield Diagnosis("packages", "fine", f"all {len(pins)} as {lock.name} pins them")
        return
    parts = [f"{len(missing)} missing ({', '.join(missing[:3])})"] if missing else []
    parts += [f"{len(wrong)} of another version ({', '.join(wrong[:3])})"] if wrong else []
    status: Status = "broken" if missing else "note"
    yield Diagnosis("packages", status, "; ".join(parts), "Run `make setup`.")


def _data(root: Path) -> Iterator[Diagnosis]:
    try:
        accepted = load_contract(root / "data" / "contracts" / "telco.yaml").snapshot
        if accepted is None:
            return
        digest = hashlib.sha256((root / accepted.path).read_bytes()).hexdigest()
    except (ChurnError, OSError) as error:
        yield Diagnosis("data", "broken", str(error), "Restore it with `git checkout -- data`.")
        return
    fine = digest == accepted.sha256
    yield Diagnosis(
        "data",
        "fine" if fine else "broken",
        f"{accepted.path}, sha256 {digest[:12]}"
        + ("" if fine else f" instead of {accepted.sha256[:12]}"),
        "" if fine else f"Restore it with `git checkout -- {accepted.path}`.",
    )


def _settings(root: Path) -> Iterator[Diagnosis]:
    for entry in PIPELINES:
        path = root / "configs" / entry.configuration.name
        try:
            load_settings(entry.settings_class(), path)
        except ChurnError as error:
            yield Diagnosis("settings", "broken", str(error), f"Correct configs/{path.name}.")
        else:
            yield Diagnosis("settings", "fine", f"configs/{path.name}")


def _stack(name: str, root: Path) -> Iterator[Diagnosis]:
    try:
        spec = load_stack(name)
    except ChurnError as error:
        yield Diagnosis("stack", "broken", str(error), "Choose one with --stack NAME.")
        return
    parts = [
        f"{kind}: {part.use if isinstance(part, ExistingComponent) else part.name}"
        for kind, part in spec.components.items()
    ]
    yield Diagnosis("stack", "fine", f"{name} ({', '.join(parts)}); a run applies it")
    state = home(root=root)
    if spec.server is None:
        yield _zenml(state)
    yield from check_stack(spec, {"state": str(state)})


def _production(stack: str, root: Path) -> Iterator[Diagnosis]:
    entry = find_pipeline("promotion")
    settings = load_settings(entry.settings_class(), root / "configs" / entry.configuration.name)
    settings = follow_contract(settings, root)
    state = home(settings.output.folder, root=root)
    yield from check_production(PreparedRun(entry, load_stack(stack), settings, state, None))


def _zenml(state: Path) -> Diagnosis:
    """Checks ZenML's folder and store as a run does before it starts ZenML."""
    from stacks.zenml_store import named_elsewhere, require_store, zenml_folder

    try:
        url, _ = require_store(state)
    except ChurnError as error:
        return Diagnosis.from_sentence("ZenML", error)
    named = named_elsewhere(state)
    where = (
        f" (where {named} says)"
        if named
        else f" (your own zenml commands: export ZENML_CONFIG_PATH={zenml_folder(state)})"
    )
    return Diagnosis("ZenML", "fine", without_password(url) + where)


def _space(root: Path) -> Iterator[Diagnosis]:
    state = home(root=root)
    place = state if state.exists() else root
    free = shutil.disk_usage(place).free / 1e9
    enough = free >= _FREE_GIGABYTES
    try:
        require_writable(state, "make it writable, or name another with CHURN_HOME")
    except ChurnError as error:
        yield Diagnosis.from_sentence("folder", error)
    yield Diagnosis(
        "disk",
        "fine" if enough else "note",
        f"{free:.0f} GB free",
        "" if enough else f"Free some space: a few hundred runs take {_FREE_GIGABYTES} GB.",
    )


def _ports() -> Iterator[Diagnosis]:
    for port, use in _PORTS.items():
        with socket.socket() as probe:
            probe.settimeout(0.5)
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Diagnosis(
            f"port {port}",
            "note" if taken else "fine",
            f"{'in use' if taken else 'free'}, for {use}",
            "Fine if that is what answers there; otherwise name another port." if taken else "",
        )
