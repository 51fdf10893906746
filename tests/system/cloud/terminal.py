"""Commands that somebody types on a machine of their own, with `run.py --json`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 900  # seconds; a run needs a tenth of it on an idle machine


@dataclass(frozen=True)
class CommandResult:
    """Result of a command."""

    code: int
    json: dict[str, Any]
    stderr: str

    @property
    def sentence(self) -> str:
        return str(self.json["error"])


class Terminal:
    """Runs commands with an empty home, an empty working directory and a new ZenML configuration."""

    def __init__(self, root: Path, folder: Path, environment: dict[str, str]) -> None:
        self.root, self.folder, self.state = root, folder, folder / "state"
        self.here, self.home, self.zenml = folder / "here", folder / "home", folder / "zenml"
        for each in (self.here, self.home):
            each.mkdir(parents=True)
        self.environment = environment | {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "ZENML_CONFIG_PATH": str(self.zenml),
            "CHURN_HOME": str(self.state),
        }

    def start(self, pipeline: str, stack: str, *arguments: str, **otherwise: str) -> Any:
        """Starts a run; `end` waits for it."""
        place = ["--stack", stack, "--json"]
        return subprocess.Popen(
            [sys.executable, str(self.root / "run.py"), "--pipeline", pipeline, *place, *arguments],
            cwd=self.here,
            env=self.environment | otherwise,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def end(process: Any) -> CommandResult:
        """Result of a started run."""
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        try:
            return CommandResult(process.returncode, json.loads(stdout), stderr)
        except ValueError:
            pytest.fail(f"stdout is not one JSON object:\n{stdout}\n{stderr}")

    def run(self, pipeline: str, stack: str, *arguments: str, **otherwise: str) -> CommandResult:
        return self.end(self.start(pipeline, stack, *arguments, **otherwise))

    def left_behind(self) -> list[str]:
        """Every file that lies here now."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.folder)) for path in found)
