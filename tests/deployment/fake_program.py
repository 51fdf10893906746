"""Programs that do as if: put on the PATH, asked afterwards what they were told."""

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
    """A program on the PATH that does as if.

    Attributes:
        folder: what it keeps; a file there changes what it does.
    """

    folder: Path

    @property
    def told(self) -> list[str]:
        """Every command it was given, without context, namespace and programs handed over."""
        log = self.folder / "told.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [" ".join(json.loads(line)) for line in lines]

    def given(self, number: int) -> str:
        """What the command of that number was given on stdin."""
        return (self.folder / f"stdin-{number}").read_text(encoding="utf-8")

    def put(self, name: str, content: str = "") -> None:
        (self.folder / name).write_text(content, encoding="utf-8")


@contextmanager
def fake_on_path(name: str, room: Path) -> Iterator[FakeProgram]:
    """A program of that name before all else on the PATH; what it keeps lies in the room."""
    programs, folder = room / "bin", room / name
    programs.mkdir(exist_ok=True)
    folder.mkdir()
    program = programs / name
    script = HERE / f"fake_{name}.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "{folder}" "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        yield FakeProgram(folder)
