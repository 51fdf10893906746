"""Makes `.venv` hold what a lock file pins; does nothing where it already does.

    python3.11 tools/install.py requirements.lock

No library does it: uv installs in seconds, but is not there before the first installation. It is
fetched from the package index; where that fails, plain pip does the same in minutes. An
installation that was killed is started again. Standard library only: this runs before anything is
installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pip_settings import for_uv, parse

UV_PIN = "uv==0.13.9"
ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV") or ROOT / ".venv").absolute()
PYTHON = VENV / "bin" / "python"
UV = VENV / ".uv" / "bin" / "uv"
COMPLETE = VENV / ".locks.json"  # digests of the locks this environment holds in full
UNFINISHED = VENV / ".unfinished"  # there while an installation runs; left behind by a killed one


def main(lock: Path) -> int:
    """Brings the environment to `lock` and returns the exit code."""
    if digest(lock) in held():
        return 0
    began = time.monotonic()
    interrupted = UNFINISHED.exists()
    if interrupted:
        say("An earlier installation was interrupted; starting from an empty .venv.")
    if interrupted or not usable():
        shutil.rmtree(VENV, ignore_errors=True)
        create()
    say(f"Installing {lock.name} into {VENV.name} ({len(pins(lock))} packages) ...")
    before = inventory()
    complete = COMPLETE.read_bytes() if COMPLETE.exists() else None
    UNFINISHED.touch()
    COMPLETE.unlink(missing_ok=True)
    if not (install_with_uv(lock) or install_with_pip(lock)):
        if inventory() == before:  # nothing was touched: what was there still holds
            UNFINISHED.unlink()
            if complete is not None:
                COMPLETE.write_bytes(complete)
        say(
            f"Neither uv nor pip could install {lock.name}; the reason stands above. "
            "Check that the package index can be reached, then run the same command again."
        )
        return 1
    remember(lock)
    UNFINISHED.unlink()
    say(f"Installed in {time.monotonic() - began:.0f} s.")
    return 0


def say(sentence: str) -> None:
    """Prints to stderr: stdout belongs to what runs next."""
    print(sentence, file=sys.stderr, flush=True)


def digest(lock: Path) -> str:
    """SHA-256 of a lock file."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def pins(lock: Path) -> set[str]:
    """The `name==version` lines of a lock, without their comments."""
    lines = (line.split("#")[0].strip() for line in lock.read_text().splitlines())
    return {line for line in lines if line}


def held() -> list[str]:
    """Digests of the locks that the environment holds; empty unless it is whole."""
    if UNFINISHED.exists() or not PYTHON.exists():
        return []
    try:
        return list(json.loads(COMPLETE.read_text()))
    except (OSError, ValueError):
        return []


def remember(lock: Path) -> None:
    """Notes `lock` and every other lock that it contains (the tests' lock contains the main one)."""
    ours = pins(lock)
    contained = [digest(other) for other in ROOT.glob("requirements*.lock") if pins(other) <= ours]
    fresh = COMPLETE.with_suffix(".new")
    fresh.write_text(json.dumps(sorted({digest(lock), *contained})))
    fresh.replace(COMPLETE)


def inventory() -> list[str]:
    """What lies in site-packages."""
    return sorted(path.name for path in VENV.glob("lib/python*/site-packages/*"))


def usable() -> bool:
    """Whether there is an environment already, of the right Python."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 11) or sys.prefix == sys.base_prefix)"
    return PYTHON.exists() and succeeds([PYTHON, "-c", check])


def create() -> None:
    """Makes an empty environment; with pip inside, where this Python can put it there."""
    VENV.mkdir(parents=True)
    UNFINISHED.touch()
    if succeeds([sys.executable, "-m", "venv", VENV]):
        return
    # Debian's Python without python3-venv: pip stays outside and installs from there.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)


def pip() -> list[str | Path]:
    """The pip to call: the environment's own, else this Python's with the place to install to."""
    own: list[str | Path] = [PYTHON, "-m", "pip"]
    if succeeds([*own, "--version"]):
        return own
    outer: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    if succeeds([*outer, "--version"]):
        return outer
    say(
        f"{sys.executable} has no pip and cannot make one. Install it "
        "(Debian, Ubuntu: apt install python3-pip python3.11-venv), then run the same command again."
    )
    raise SystemExit(1)


def fetch_uv() -> bool:
    """Puts the pinned uv beside the environment's packages, not among them; False where it cannot."""
    if succeeds([UV, "--version"]):
        return True
    where = ["--target", str(UV.parent.parent), UV_PIN]
    return succeeds([*pip(), "install", "--quiet", "--disable-pip-version-check", *where])


def uv_environment() -> dict[str, str]:
    """This process's environment, with pip's configuration in uv's variables."""
    listing = subprocess.run(
        [*pip(), "config", "list"], capture_output=True, text=True, check=False
    )
    return {**os.environ, **for_uv(parse(listing.stdout), os.environ)}


def install_with_uv(lock: Path) -> bool:
    """Installs with uv; False where that fails."""
    if not fetch_uv():
        say("uv cannot be had here; plain pip takes over, which takes minutes.")
        return False
    where = ["--python", str(PYTHON), "--requirements", str(lock)]
    command = [str(UV), "pip", "install", "--quiet", *where]
    if subprocess.run(command, env=uv_environment(), check=False).returncode == 0:
        return True
    say("uv could not do it; plain pip takes over, which takes minutes.")
    return False


def install_with_pip(lock: Path) -> bool:
    """Installs with pip; False where that fails."""
    command = [*pip(), "install", "--quiet", "--disable-pip-version-check", "--requirement", lock]
    return subprocess.run(command, check=False).returncode == 0


def succeeds(command: list[str | Path]) -> bool:
    """Whether a command can be run and ends well; what it prints is dropped."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).absolute()))
    except KeyboardInterrupt:
        sys.exit(130)
