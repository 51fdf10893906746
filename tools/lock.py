"""Writes the lock files again from pyproject.toml; a pin moves only where it must.

    .venv/bin/python tools/lock.py [--upgrade | --upgrade-package NAME] ...

No library does it: uv resolves one file at a time, and these eight must agree on every pin they share.
The deep lock is resolved under the main one, the data lock under both, the stacks' lock under these,
Dagster's under these, and the tests' lock under all five, so that each holds the same pins and more.
The serving lock holds what the extra `serve` lists and nothing of the main job, under the main
lock's pins; the stream's lock adds `stream`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from install import ROOT, UV, fetch_uv, say, uv_environment

MAIN = "requirements.lock"
DAGSTER = "requirements-dagster.lock"
DATA = "requirements-data.lock"
DEEP = "requirements-deep.lock"
DEV = "requirements-dev.lock"
STACKS = "requirements-stacks.lock"
STREAM = "requirements-stream.lock"
SERVE = "requirements-serve.lock"
LOCAL_BUILD = re.compile(r"^(\S+==[^\s+]+)(\+\S+)", re.MULTILINE)


def compile_lock(*arguments: str, requirements: str | None = None) -> None:
    """Resolves pyproject.toml, or a list of requirements, into one lock, for the Python that CI runs."""
    source = "pyproject.toml" if requirements is None else "-"
    target = ["--python-version", "3.11", "--python-platform", "linux"]
    command = [str(UV), "pip", "compile", source, "--quiet", "--annotation-style", "line"]
    # Paths are relative and the header names the make target: a lock knows no machine.
    environment = uv_environment() | {"UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    stdin = None if requirements is None else requirements.encode()
    subprocess.run(
        [*command, *target, *arguments], cwd=ROOT, env=environment, check=True, input=stdin
    )


def extra(name: str) -> str:
    """What an extra lists, one requirement a line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return "\n".join(project["optional-dependencies"][name])


def name_no_build(lock: Path) -> None:
    """Strips local versions: `torch==2.13.0+cpu` becomes `torch==2.13.0`.

    Which build of torch there is depends on where packages come from: PyTorch's own index calls its
    CPU build 2.13.0+cpu, the public one has 2.13.0 alone. A pin without the suffix fits them all.
    """
    text = LOCAL_BUILD.sub(lambda pin: pin[1] + " " * len(pin[2]), lock.read_text())
    lock.write_text(text)


def main(arguments: list[str]) -> int:
    """Writes the main lock, then those that hold more under its pins."""
    if not fetch_uv():
        say("uv cannot be had from the package index, and only uv writes the locks.")
        return 1
    try:
        compile_lock("--output-file", MAIN, *arguments)
        # The pin in a lock names no build, and so would prefer one without a name: the default build
        # with CUDA's libraries. Chosen anew, the CPU build wins wherever there is one.
        under = ["--constraints", MAIN, "--upgrade-package", "torch"]
        compile_lock("--extra", "deep", *under, "--output-file", DEEP, *arguments)
        name_no_build(ROOT / DEEP)
        under += ["--constraints", DEEP]
        compile_lock("--extra", "data", *under, "--output-file", DATA, *arguments)
        under += ["--constraints", DATA]
        compile_lock("--extra", "stacks", *under, "--output-file", STACKS, *arguments)
        under += ["--constraints", STACKS]
        compile_lock("--extra", "dagster", *under, "--output-file", DAGSTER, *arguments)
        under += ["--constraints", DAGSTER]
        compile_lock("--extra", "dev", *under, "--output-file", DEV, *arguments)
        name_no_build(ROOT / DEV)
        serving = ["--constraints", MAIN, "--output-file", SERVE, *arguments]
        compile_lock(*serving, requirements=extra("serve"))
        streaming = ["--constraints", DEV, "--output-file", STREAM, *arguments]
        compile_lock(*streaming, requirements="\n".join((extra("serve"), extra("stream"))))
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
