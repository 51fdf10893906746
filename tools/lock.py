"""Writes both lock files anew from pyproject.toml; what is pinned stays where it may.

    .venv/bin/python tools/lock.py [--upgrade | --upgrade-package NAME] ...

The tests' lock is resolved under the main one, so that it holds the same pins and more.
"""

from __future__ import annotations

import subprocess
import sys

from install import ROOT, UV, fetch_uv, say, uv_environment

MAIN = "requirements.lock"
DEV = "requirements-dev.lock"


def compile_lock(*arguments: str) -> None:
    """Resolves pyproject.toml into one lock, for the Python and the system that CI runs."""
    target = ["--python-version", "3.11", "--python-platform", "linux"]
    command = [UV, "pip", "compile", "pyproject.toml", "--quiet", "--annotation-style", "line"]
    # Paths are relative and the header names the make target: a lock knows no machine.
    environment = uv_environment() | {"UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run([*command, *target, *arguments], cwd=ROOT, env=environment, check=True)


def main(arguments: list[str]) -> int:
    """Writes the main lock, then the tests' lock under its pins."""
    if not fetch_uv():
        say("uv cannot be had from the package index, and only uv writes the locks.")
        return 1
    try:
        compile_lock("--output-file", MAIN, *arguments)
        compile_lock("--extra", "dev", "--constraints", MAIN, "--output-file", DEV, *arguments)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
