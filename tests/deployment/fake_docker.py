"""Fake of docker with an engine; its container is the real service in a process.

Arguments: folder with its state, then docker's own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(folder: Path, arguments: list[str]) -> int:
    with (folder / "commands.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(arguments) + "\n")
    running = folder / "running"
    match arguments:
        case ["version", *_] if (folder / "down").exists():
            sys.stderr.write("Cannot connect to the Docker daemon. Is it running?")
            return 1
        case ["compose", "--env-file", _, "ps", *_] if running.exists():
            sys.stdout.write("3a5f\n")
        case ["compose", "--env-file", file, "up", *_] if not running.exists():
            start(folder, dict(x.split("=", 1) for x in Path(file).read_text().splitlines()))
        case ["compose", "--env-file", _, "stop", _] if running.exists():
            os.kill(int(running.read_text()), signal.SIGTERM)
            running.unlink()
    return 0


def start(folder: Path, file: dict[str, str]) -> None:
    """Starts the service, and waits for it as --wait does."""
    log = folder / "service.log"
    settings = {"CHURN_ENVIRONMENT": "production", "CHURN_LEDGER": "none"}
    keys = {"CHURN_API_KEYS": file["CHURN_API_KEYS"]}
    overrides = folder / "container.json"
    extra = json.loads(overrides.read_text()) if overrides.exists() else {}
    service = [f"--port={file['API_PORT']}", f"--store={os.environ['STORE']}"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.api", *service],
            cwd=ROOT,
            env=os.environ | settings | keys | extra,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    (folder / "running").write_text(str(process.pid))
    until = time.monotonic() + 60
    while '"ready"' not in log.read_text() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
