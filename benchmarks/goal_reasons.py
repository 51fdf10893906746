"""Reason codes cost little more than the contributions they are made from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.evidence_reasons import GOAL
from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of reason codes, sentences included, over CPU of LightGBM's bare contributions."""
    repeats = 3 if trainings.quick else 7
    command = [sys.executable, "-m", "benchmarks.evidence_reasons", "--json", "--repeats"]
    output = run([*command, str(repeats)], own_environment(trainings.folder)).output
    how = "CPU over that of bare pred_contrib on the same 7,043 rows, alternating, one process"
    for model, ratios in json.loads(output).items():
        yield Figure(f"reason codes, {model}", GOAL, "x", tuple(ratios), how)
