"""A pipeline of ten steps that do nothing, on a stack: what is left is what a step costs there.

Started by `goal_stacks` in a process of its own; its last line on stdout is one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

STEPS = 10


def main(stack: str, state: str) -> None:
    """Applies the stack twice and runs the pipeline on it.

    Args:
        stack: The stack's name.
        state: Absolute folder for what its placeholders name.
    """
    from stacks.apply import activate, apply_stack
    from stacks.spec import load_stack

    spec, values = load_stack(stack), {"state": state}
    apply_stack(spec, values)  # makes it, and imports all that it takes
    began = time.perf_counter()
    applied = apply_stack(spec, values)
    again = time.perf_counter() - began
    activate(applied)
    reached = _run_nothing()
    figures = {
        "apply": again,
        "changes": len(applied.changes),
        "steps": [after - before for before, after in pairwise(reached)],
    }
    sys.stdout.write(f"\n{json.dumps(figures)}\n")


def _run_nothing() -> list[float]:
    """Runs the steps one after another, and reports when each was reached."""
    from zenml import pipeline
    from zenml.utils.source_utils import set_custom_source_root

    # ZenML looks the step up by its module's name, and this one is called `__main__` here.
    from benchmarks.nothing_step import nothing, reached

    @pipeline(enable_cache=False)
    def ten_steps() -> None:
        count = nothing(before=0)
        for _ in range(STEPS - 1):
            count = nothing(before=count)

    set_custom_source_root(str(Path(__file__).resolve().parents[1]))
    ten_steps()
    return reached


if __name__ == "__main__":
    main(*sys.argv[1:])
