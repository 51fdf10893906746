"""Runs all tests in two processes side by side, and ends as the worse of them does.

    .venv/bin/python tools/run_tests.py

One takes the tests that mostly wait for runs and servers, the other all the rest: on two cores
that is little more than half the time. Each measures coverage for itself; both are joined in the
end. The first's output comes when the second, which is shown as it goes, is done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COVERAGE = ROOT / ".churn" / "coverage"
# Folders under tests/ whose tests start pipelines and servers.
WAITING = ("cloud", "deployment", "pipeline", "stack")


def folders() -> tuple[list[str], list[str]]:
    """The folders of tests that wait, and the others; every one of them is in one of the two."""
    found = sorted(
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and any(path.glob("test_*.py"))
    )
    waiting = [f"tests/{name}" for name in found if name in WAITING]
    return waiting, [f"tests/{name}" for name in found if name not in WAITING]


def start(name: str, chosen: list[str], output: int | None) -> subprocess.Popen[bytes]:
    """Starts pytest over some folders, with a coverage file of its own."""
    data = COVERAGE / name
    data.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--cov",
        "--cov-report=",
        "--cov-config=pyproject.toml",
    ]
    return subprocess.Popen(
        [*command, "-o", f"cache_dir=.pytest_cache/{name}", *chosen],
        cwd=ROOT,
        env=os.environ | {"COVERAGE_FILE": str(data / ".coverage")},
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
    )


def main() -> int:
    """Runs both and joins what they covered."""
    shutil.rmtree(COVERAGE, ignore_errors=True)
    COVERAGE.mkdir(parents=True)
    waiting, others = folders()
    said = COVERAGE / "waiting.txt"
    with said.open("wb") as output:
        first = start("waiting", waiting, output.fileno())
        second = start("others", others, None)
        try:
            codes = [second.wait(), first.wait()]
        except KeyboardInterrupt:
            for each in (first, second):
                each.wait()
            return 130
    print(f"\n{' '.join(waiting)}, which ran beside:\n", flush=True)
    print(said.read_text(encoding="utf-8", errors="replace"), flush=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "coverage",
            "combine",
            "--quiet",
            *map(str, COVERAGE.glob("*/.coverage*")),
        ],
        cwd=ROOT,
        check=True,
    )
    for name, code in zip(("the others", " ".join(waiting)), codes, strict=True):
        print(f"{name}: {'passed' if code == 0 else f'FAILED, exit code {code}'}", flush=True)
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main())
