"""An answer of the scoring service costs no more than FastAPI's empty one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.control_groups import held_here
from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

SCORE = 1.0
SCORE_PLAIN = 1.15
REASONS = 1.1
CPU = 2.5
MEMORY = 170.0
WORKERS = (
    1 / 0.9
)  # a request's CPU with two workers may rise so far that two still do 1.8 times one's


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of the server's processes a request, ledger included, over that of an empty server."""
    rounds = 3 if trainings.quick else 5
    command = [sys.executable, "-m", "benchmarks.evidence_service", "--json", "--rounds"]
    environment = own_environment(trainings.folder, OMP_NUM_THREADS="1")
    figures = json.loads(run([*command, str(rounds)], environment).output)
    how = "CPU a request of all the server's processes, alternating, 32 connections"
    for name, goal, limit, unit, more in (
        ("score", "`POST /v1/score` over an empty FastAPI endpoint", SCORE, "x",
         f"{how}; key, metrics and ledger on"),
        ("score_plain", "`POST /v1/score` without the short path over the same", SCORE_PLAIN, "x",
         f"{how}; key, metrics and ledger on, `CHURN_SHORT_PATH=false`"),
        ("reasons", "`POST /v1/explain` (reasons) over FastAPI with bare `pred_contrib`", REASONS,
         "x", f"{how}; the bare side takes an encoded row and answers contributions"),
        ("counterfactuals", "`POST /v1/explain` (reasons and counterfactuals) over the same", REASONS, "x",
         f"{how}; scores every single change beside, which the bare side does not"),
        ("cpu", "start to ready", CPU, "s CPU", "one worker, until /readyz answers 200"),
        ("memory", "memory of a worker", MEMORY, "MB", "its peak by then"),
    ):  # fmt: skip
        yield Figure(goal, limit, unit, tuple(figures[name]), more)
    if not held_here():
        yield Figure(
            "CPU of a request with two workers over one", WORKERS, "x", tuple(figures["workers"]),
            "stands in where no control group can be made: two workers on a core each do 1.8 times "
            "one's while this is 1.11 at most",
        )  # fmt: skip
        return
    command = [sys.executable, "-m", "benchmarks.evidence_workers", "--json", "--rounds"]
    seen = json.loads(run([*command, str(rounds)], environment).output)["workers"]
    yield Figure(
        "two workers' requests a second, short of twice one's", WORKERS, "x",
        tuple(2 / ratio for ratio in seen),
        "every worker held to 35% of a core by a control group; 1.11 is 1.8 times one's",
    )  # fmt: skip
