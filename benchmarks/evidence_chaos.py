"""Attacks in turn against one worker held to 512 MB, beside a polite caller.

    python -m benchmarks.evidence_chaos [--seconds 6] [--only WORDS] [--json]

The caller scores 50 customers a second over kept connections with a key (`benchmarks.polite_caller`).
Of every attack one line: how many of its requests were lost or answered wrongly, the 99th percentile of
the time from when a request was due to its answer, the memory of the worker at its peak, and how much
more than before all attacks it holds afterwards. Exits with 1 where a request was lost, 99 of 100 took
longer than 250 ms, more than 50 MB stay, or the worker died. The limit is a control group's, which
takes root; without one the peak is judged instead. The worker's memory is sampled from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.chaos_attacks import ATTACKS, Target
from benchmarks.control_groups import memory_held
from benchmarks.evidence_service import Prepared, prepare
from benchmarks.measuring import ROOT, BenchmarkError
from benchmarks.serving import Server, requests, started

MEMORY = 512 * 10**6
RATE = 50.0
P99 = 0.25
LEFT = 50.0  # MB more than before all attacks
_SETTLE = 5.0  # seconds until memory must be back
_POLITE_CUSTOMERS = 50
_FILES = 8192


@dataclass(frozen=True)
class Result:
    """What an attack did to the polite caller and to the worker.

    Attributes:
        attack: its name.
        made: how often it did what it does.
        polite: requests of the polite caller meanwhile.
        lost: of these, how many got no answer, or another one; the first one's fault in `fault`.
        p99: seconds until 99 of 100 were answered.
        peak: MB of the worker at its peak.
        left: MB more than before all attacks.
    """

    attack: str
    made: int
    polite: int
    lost: int
    fault: str
    p99: float
    peak: float
    left: float

    @property
    def met(self) -> bool:
        """Whether nothing was lost, late or kept."""
        held = self.peak <= MEMORY / 1e6
        return not self.lost and not self.fault and self.p99 <= P99 and self.left <= LEFT and held


class Memory:
    """Resident MB of a process, sampled."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.peak = 0.0
        threading.Thread(target=self._sample, daemon=True).start()

    def now(self) -> float:
        """MB at this moment; 0 if the process has ended."""
        try:
            found = re.search(r"VmRSS:\s+(\d+)", self._status.read_text(encoding="ascii"))
        except OSError:
            return 0.0
        return int(found[1]) * 1024 / 1e6 if found else 0.0

    def settled(self, limit: float) -> float:
        """MB after as long as it may take to fall to the limit."""
        until = time.monotonic() + _SETTLE
        while self.now() > limit and time.monotonic() < until:
            time.sleep(0.1)
        return self.now()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, self.now())
            time.sleep(0.02)


class Polite:
    """The polite caller's process, and its record."""

    def __init__(self, record: Path, process: subprocess.Popen[bytes]) -> None:
        self._record = record
        self._process = process

    def between(self, start: float, end: float) -> list[tuple[float, str]]:
        """Seconds and fault of every request that was due then; waits for their answers."""
        due = int((end - start) * RATE) - 1
        until = time.monotonic() + 15
        while True:
            lines = [json.loads(line) for line in self._record.read_text().splitlines()[1:]]
            answers = [(waited, fault) for since, waited, fault in lines if start <= since < end]
            if len(answers) >= due or time.monotonic() > until:
                break
            time.sleep(0.2)
        if self._process.poll() is not None:
            raise BenchmarkError("the polite caller ended")
        return answers


def main(arguments: Sequence[str] | None = None) -> int:
    """Attacks and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="of each attack")
    parser.add_argument("--only", default="", help="attacks with these words in their name")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    names = [name for name in ATTACKS if options.only in name]
    try:
        results = list(attacked(names, options.seconds))
    except BenchmarkError as error:
        print(f"No figures: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([asdict(each) | {"met": each.met} for each in results]))
    else:
        print(table(results))
    return 0 if all(each.met for each in results) else 1


def attacked(names: Sequence[str], seconds: float) -> Iterator[Result]:
    """Runs the attacks, each against the same worker; a worker that died is started again."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(Path(folder), ("1", "2", "3"))
        left = list(names)
        while left:
            with serving(prepared) as (server, memory, polite):
                target = Target(
                    server.port, prepared.key, prepared.store, prepared.folder / "ledger",
                    prepared.customers, seconds,
                )  # fmt: skip
                before = memory.now()
                while left and server.process.poll() is None:
                    yield attack(left.pop(0), target, server, memory, polite, before)


@contextmanager
def serving(prepared: Prepared) -> Iterator[tuple[Server, Memory, Polite]]:
    """A worker held to its memory, warmed by a polite caller that goes on."""
    ledger = prepared.folder / "ledger"
    ledger.mkdir(exist_ok=True)
    settings = prepared.settings | {"CHURN_LEDGER": f"sqlite:///{ledger}/ledger.db"}
    with ExitStack() as stack:
        command = [*_limited(stack), *prepared.service()]
        server = stack.enter_context(started(command, settings, "/livez"))
        memory = Memory(server.process.pid)
        polite = stack.enter_context(_polite(prepared, server.port))
        time.sleep(3)
        yield server, memory, polite


def attack(
    name: str, target: Target, server: Server, memory: Memory, polite: Polite, before: float
) -> Result:
    """Runs one attack, and says what became of the polite caller and the worker."""
    memory.peak, start, fault, made = memory.now(), time.time(), "", 0
    try:
        made = asyncio.run(ATTACKS[name](target))
    except AssertionError as error:
        fault = str(error)
    end = time.time()
    answers = polite.between(start, end)
    lost = [said for _, said in answers if said]
    if server.process.poll() is not None:
        fault = f"the worker ended with {server.process.returncode}"
    waits = sorted(waited for waited, _ in answers)
    return Result(
        attack=name,
        made=made,
        polite=len(answers),
        lost=len(lost),
        fault=fault or (lost[0] if lost else ""),
        p99=waits[len(waits) * 99 // 100] if waits else float("inf"),
        peak=memory.peak,
        left=memory.settled(before + LEFT) - before,
    )


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| attack | times | polite requests | lost or wrong | p99 ms | peak MB | MB more afterwards | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results:
        verdict = "met" if each.met else f"MISSED {each.fault[:120]}".strip()
        lines.append(
            f"| {each.attack} | {each.made:,} | {each.polite} | {each.lost} | {each.p99 * 1e3:.0f} "
            f"| {each.peak:.0f} | {each.left:+.0f} | {verdict} |"
        )
    return "\n".join(lines)


def _limited(stack: ExitStack) -> list[str]:
    try:
        return stack.enter_context(memory_held(MEMORY))
    except BenchmarkError as error:
        print(f"No limit on memory, its peak is judged: {error}", file=sys.stderr)
        return []


@contextmanager
def _polite(prepared: Prepared, port: int) -> Iterator[Polite]:
    customers = prepared.customers[:_POLITE_CUSTOMERS]
    head = f"x-api-key: {prepared.key}\r\n"
    sent = requests(prepared.folder / "polite", "POST", "/v1/score", customers, head)
    record = prepared.folder / f"record-{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.polite_caller", str(port), str(RATE), sent, record],
        cwd=ROOT, stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        while not (record.exists() and record.read_text()):
            if process.poll() is not None:
                raise BenchmarkError("the polite caller did not begin")
            time.sleep(0.1)
        yield Polite(record, process)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
