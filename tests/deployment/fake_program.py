"""Fake programs: put on the PATH, they record their commands for the test to check."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class FakeProgram:
    """A fake program on the PATH.

    Attributes:
        folder: its state; a file there changes its behaviour.
    """

    folder: Path

    @property
    def commands(self) -> list[str]:
        """Every command so far, without context, namespace and Python code."""
        log = self.folder / "commands.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [" ".join(json.loads(line)) for line in lines]

    def stdin(self, number: int) -> str:
        """What the command of that number read from stdin."""
        return (self.folder / f"stdin-{number}").read_text(encoding="utf-8")

    def set(self, name: str, content: str = "") -> None:
        """Writes a file that changes the program's behaviour."""
        (self.folder / name).write_text(content, encoding="utf-8")


@contextmanager
def fake_on_path(name: str, folder: Path) -> Iterator[FakeProgram]:
    """Puts the fake of that name first on the PATH; its state lies in the folder."""
    programs, state = folder / "bin", folder / name
    programs.mkdir(exist_ok=True)
    state.mkdir()
    program = programs / name
    script = HERE / f"fake_{name}.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "{state}" "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        yield FakeProgram(state)
