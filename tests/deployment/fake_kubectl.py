"""Fake of kubectl with a cluster behind it; records its commands.

The cluster's store is a folder, its pods are the real service (or Seldon's wire formats around the
real scorer), started for as long as a port-forward lasts. Arguments: folder with its state, then kubectl's own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(folder: Path, arguments: list[str]) -> int:
    while arguments[:1] in (["--context"], ["--namespace"]):
        arguments = arguments[2:]
    number = record(folder, arguments)
    return read(folder, arguments) or change(folder, arguments, number)


def read(folder: Path, arguments: list[str]) -> int:
    """Commands that change nothing."""
    match arguments:
        case ["config", "current-context"] if is_set(folder, "no-context"):
            return fail("error: current-context is not set")
        case ["version", *_] if is_set(folder, "down"):
            return fail("Unable to connect to the server: refused")
        case ["kustomize", *_]:
            return subprocess.call([(folder / "real").read_text(), *arguments])
        case ["get", *_] if is_set(folder, "get-fails"):
            return fail("Error from server (Timeout): the server was unable to return a response")
        case ["get", *_] if not is_set(folder, "revision"):
            assert "--ignore-not-found" in arguments
        case ["get", *_, output] if ".spec.replicas" in output:
            replicas = (folder / "replicas").read_text() if is_set(folder, "replicas") else "1"
            sys.stdout.write(f"churn-api={replicas}")
        case ["get", *_]:
            sys.stdout.write("churn-api=" + (folder / "revision").read_text())
        case ["rollout", "status", *_] if is_set(folder, "stuck"):
            return fail("error: deployment churn-api exceeded its progress deadline")
    return 0


def change(folder: Path, arguments: list[str], number: int) -> int:
    """Commands that change something."""
    match arguments:
        case ["apply", "-f", "-"] | ["delete", *_, "-f", "-"]:
            (folder / f"stdin-{number}").write_text(sys.stdin.read(), encoding="utf-8")
            if arguments[0] == "apply" and is_set(folder, "apply-fails"):
                return fail("error: the second of two documents was refused")
        case ["apply", "-k", _]:
            # As kubectl does: a number that the overlay does not name stays as it was.
            set_revision(folder, "1" if not is_set(folder, "revision") else None)
        case ["scale", _, number_of_pods]:
            (folder / "replicas").write_text(number_of_pods.removeprefix("--replicas="))
        case ["rollout", "undo", *_]:
            (folder / "stuck").unlink(missing_ok=True)
            set_revision(folder, None)
        case ["cp", source, target]:
            shutil.copytree(source, in_volume(folder, target.partition(":")[2]))
        case ["exec", *_, "-c", code, _] if is_set(folder, "exec-fails") and "roll_back" in code:
            return fail("error: unable to upgrade connection: container not found")
        case ["exec", _, "--", *command]:
            return run_in_pod(folder, command)
        case ["port-forward", *_] if is_set(folder, "replicas") and has_no_pod(folder):
            return fail("error: timed out waiting for the condition")
        case ["port-forward", what, _]:
            forward(folder, what)
    return 0


def record(folder: Path, arguments: list[str]) -> int:
    """Records a command and returns its number."""
    log = folder / "commands.jsonl"
    short = ["..." if len(word) > 100 else word for word in arguments]
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(short) + "\n")
    return len(log.read_text(encoding="utf-8").splitlines()) - 1


def run_in_pod(folder: Path, command: list[str]) -> int:
    """Runs a command of `exec` here, in the folder that replaces the pod's volume."""
    if command[0] == "python":
        command = [sys.executable, *command[1:]]
    store = folder / "store"
    store.mkdir(exist_ok=True)
    return subprocess.call([in_volume(folder, word) for word in command], cwd=ROOT)


def forward(folder: Path, what: str) -> None:
    """Starts the server behind the port, prints its port, and stops it on SIGTERM."""
    seldon = "seldon-mesh" in what or what.endswith("-main")
    script = [str(ROOT / "tests" / "deployment" / "fake_seldon.py"), str(folder)]
    ours = ["-m", "service.api", "--port=0", f"--store={folder / 'store'}"]
    overrides = folder / "pods.json"
    settings = json.loads(overrides.read_text()) if overrides.exists() else {}
    pod = subprocess.Popen(
        [sys.executable, *(script if seldon else ours)],
        cwd=ROOT,
        env=os.environ | {"CHURN_LEDGER": "none", "PYTHONPATH": str(ROOT)} | settings,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGTERM, lambda *_: pod.terminate())
    for line in pod.stderr:
        if '"listening"' in line:
            port = json.loads(line)["port"]
            sys.stdout.write(f"Forwarding from 127.0.0.1:{port} -> 8000\n")
            sys.stdout.flush()
    pod.wait()


def in_volume(folder: Path, word: str) -> str:
    return str(folder) + word if word.startswith("/store") else word


def has_no_pod(folder: Path) -> bool:
    return (folder / "replicas").read_text() == "0"


def is_set(folder: Path, name: str) -> bool:
    return (folder / name).exists()


def set_revision(folder: Path, revision: str | None) -> None:
    """Writes the revision of the rollout: this one, or the next where the image changed."""
    file = folder / "revision"
    if revision is None and is_set(folder, "new-image"):
        revision = str(int(file.read_text()) + 1)
    if revision is not None:
        file.write_text(revision)


def fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
