"""The four places in files, so that they outlive a process that is killed; and what is killed.

Ledger and store are the real ones. The Model Control Plane and MLflow are in memory elsewhere; here
each of their writes replaces one file in one step, as theirs is one transaction.
"""

from __future__ import annotations

import json
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from churn.durable import replace_text
from tests.registry.places import MODEL, FakeMlflow, FourPlaces
from tests.steps.fake_control_plane import FakeControlPlane, FakeVersion

COMMANDS = {
    "first promotion": lambda places: places.promote("1"),
    "promotion": lambda places: places.promote("2"),
    "rollback": lambda places: places.roll_back(),
    "deployment": lambda places: places.withdraw(),
    "doctor": lambda places: places.settle(),
}
NO_VERSION: dict[str, Any] = {"stages": ["archived", "staging"], "alias": {}}


def kept_places(folder: Path, patch: pytest.MonkeyPatch) -> FourPlaces:
    """Reads the places in a folder; what is written to them from now on is written there."""
    file = folder / "places.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else NO_VERSION
    registered, mlflow = FakeControlPlane(), FakeMlflow(dict(kept["alias"]))
    for number, stage in enumerate(kept["stages"], 1):
        registered.create_version({"name": MODEL}, {}, None).stage = stage
        tags = {"zenml_version": str(number)}
        mlflow.versions.append(SimpleNamespace(version=str(number), tags=tags))

    def keeping(real: Any) -> Any:
        def write(*arguments: Any, **named: Any) -> None:
            real(*arguments, **named)
            stages = [each.stage for each in registered.versions]
            replace_text(file, json.dumps({"stages": stages, "alias": mlflow.alias}))

        return write

    patch.setattr(FakeVersion, "set_stage", keeping(FakeVersion.set_stage))
    for name in ("set_registered_model_alias", "delete_registered_model_alias"):
        patch.setattr(mlflow, name, keeping(getattr(mlflow, name)))
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    made = FourPlaces(folder / "production" / MODEL, ledger, registered, mlflow)
    made.install(patch)
    return made


def run_command(folder: Path, command: str, stop: tuple[str, str] | None, ready: Event) -> None:
    """Runs a command in a process of its own, which kills itself before or after a write."""
    with pytest.MonkeyPatch.context() as patch:
        places = kept_places(folder, patch)
        ready.set()
        if stop is None:
            COMMANDS[command](places)
            return
        with places.stopping(*stop, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            COMMANDS[command](places)
