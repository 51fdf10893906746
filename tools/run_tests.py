"""Runs all tests, two folders at a time, and ends as the worst of them does.

    .venv/bin/python tools/run_tests.py

Each folder under tests/ is a pytest of its own, because its tests share what takes long to make:
runs, servers, models. Whoever is free takes the next one, the longest first, so that both are busy
to the end. Every half minute one line says how far they are; a test that fails is named at once,
and what pytest said about it comes at the end.

What is covered is measured where tests call the rooms themselves: a traced test takes up to twice
as long, and the other folders cover little that these do not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / ".churn" / "coverage"
AT_ONCE = 2
LINE_SECONDS = 30
SLOWEST = 15
# What takes longest begins first; a folder that is not named here begins before all of them.
LONGEST_FIRST = (
    "pipeline",
    "unit",
    "cloud",
    "deployment",
    "service",
    "stack",
    "stream",
    "house",
    "seldon",
    "property",
    "steps",
    "kubernetes",
    "parity",
    "behavioural",
    "containers",
)
MEASURED = ("deployment", "pipeline", "seldon", "service", "steps", "stream", "unit")


class Folder:
    """One folder's pytest: what it has done so far, by the lines of `watched_tests`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.said = ROOM / f"{name}.txt"
        self.tests: int | None = None
        self.outcomes: dict[str, str] = {}
        self.seconds: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.took = 0.0
        self.code: int | None = None
        self._watched = ROOM / f"{name}.jsonl"
        self._read = 0

    def start(self) -> None:
        """Starts pytest; where coverage is measured, with a file of its own for it."""
        self._watched.touch()
        self._began = time.monotonic()
        command = [
            *(sys.executable, "-m", "pytest", "-p", "tools.watched_tests"),
            *("--watch-file", str(self._watched), "-o", f"cache_dir=.pytest_cache/{self.name}"),
            f"tests/{self.name}",
        ]
        data = ROOM / self.name
        if self.name in MEASURED:
            data.mkdir()
            command += ["--cov", "--cov-report=", "--cov-config=pyproject.toml"]
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"COVERAGE_FILE": str(data / ".coverage")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def look(self) -> list[str]:
        """Reads what is new; names the tests that failed since the last look."""
        self.code = self.process.poll()  # asked first: all that it wrote before its end is there
        with self._watched.open(encoding="utf-8") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind("\n") + 1]
        self._read += len(whole.encode())
        failed = []
        for line in whole.splitlines():
            told = json.loads(line)
            if "tests" in told:
                self.tests = told["tests"]
            elif self._note(told):
                failed.append(told["test"])
        if self.code is not None:
            self.took = time.monotonic() - self._began
        return failed

    def count(self, outcome: str) -> int:
        """How many tests ended so."""
        return sum(each == outcome for each in self.outcomes.values())

    def summary(self) -> str:
        """How its tests ended, in words."""
        counted = [
            f"{n} {each}" for each in ("passed", "skipped", "failed") if (n := self.count(each))
        ]
        return ", ".join(counted) or "no test ran"

    def _note(self, told: dict[str, str]) -> bool:
        """Keeps how a test's phase ended; True where the test has failed by it."""
        test, outcome = told["test"], told["outcome"]
        self.seconds[f"{told['phase']:8} {test}"] += float(told["seconds"])
        if outcome == "skipped":
            self.skipped[told["reason"].removeprefix("Skipped: ")] += 1
        before = self.outcomes.get(test)
        if outcome != "passed" or told["phase"] == "call":
            self.outcomes[test] = "failed" if before == "failed" else outcome
        return outcome == "failed" and before != "failed"


def names() -> list[str]:
    """Every folder of tests/ that has tests, the longest first."""
    found = sorted(
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and any(path.glob("test_*.py"))
    )
    known = {name: place for place, name in enumerate(LONGEST_FIRST)}
    return sorted(found, key=lambda name: known.get(name, -1))


def run_all(waiting: list[Folder]) -> list[Folder]:
    """Runs them to their end, and says how far they are; in the order in which they ended."""
    began = line = time.monotonic()
    running: list[Folder] = []
    done: list[Folder] = []
    total = len(waiting)
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(waiting.pop(0))
                running[-1].start()
            time.sleep(0.2)
            for folder in list(running):
                for test in folder.look():
                    _tell(began, f"FAILED {test}")
                if folder.code is not None:
                    running.remove(folder)
                    done.append(folder)
                    verdict = "" if folder.code == 0 else f"; pytest ended with {folder.code}"
                    _tell(began, f"{folder.name}: {folder.summary()}{verdict}")
            if time.monotonic() >= line + LINE_SECONDS:
                line += LINE_SECONDS
                far = (f"{f.name} {len(f.outcomes)}/{f.tests or '?'}" for f in running)
                _tell(began, f"at {', '.join(far)}; {len(done)} of {total} folders done")
    finally:
        for folder in running:  # Ctrl-C has reached them, too
            folder.process.wait()
    return done


def report(done: list[Folder], seconds: float) -> None:
    """What is worth reading after all of it: faults, skips, where the time went."""
    for folder in done:
        if folder.code != 0:
            print(f"\n===== tests/{folder.name}, as pytest told it =====\n")
            print(folder.said.read_text(encoding="utf-8", errors="replace"))
    for folder in done:
        for reason, count in folder.skipped.items():
            print(f"skipped in tests/{folder.name}: {count} ({reason})")
    slowest = sum((folder.seconds for folder in done), Counter()).most_common(SLOWEST)
    print(f"\nThe {len(slowest)} slowest:")
    for test, took in slowest:
        print(f"{took:7.1f} s  {test}")
    print("\nFolders:")
    for folder in sorted(done, key=lambda each: -each.took):
        verdict = "passed" if folder.code == 0 else f"FAILED, exit code {folder.code}"
        print(f"{folder.took:7.1f} s  {folder.name:12} {verdict}: {folder.summary()}")
    tests = sum(len(folder.outcomes) for folder in done)
    print(f"\n{tests} tests in {_clock(seconds)}.", flush=True)


def main() -> int:
    """Runs everything, joins what was covered, and says how it ended."""
    shutil.rmtree(ROOM, ignore_errors=True)
    ROOM.mkdir(parents=True)
    folders = [Folder(name) for name in names()]
    print(f"{len(folders)} folders of tests, {AT_ONCE} at a time:", flush=True)
    began = time.monotonic()
    try:
        done = run_all(folders)
    except KeyboardInterrupt:
        return 130
    if data := [str(each) for each in ROOM.glob("*/.coverage*")]:
        combine = [sys.executable, "-m", "coverage", "combine", "--quiet", *data]
        subprocess.run(combine, cwd=ROOT, check=True)
    report(done, time.monotonic() - began)
    return max((folder.code or 0 for folder in done), key=abs)


def _tell(began: float, what: str) -> None:
    print(f"  {_clock(time.monotonic() - began):>5}  {what}", flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
