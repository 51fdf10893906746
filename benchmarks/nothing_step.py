"""A step that does nothing but note when it was reached."""

from __future__ import annotations

import time

from zenml import step

reached: list[float] = []
"""When each step of this process was reached, seconds of `time.perf_counter`."""


@step(enable_cache=False)
def nothing(before: int) -> int:
    """Counts."""
    reached.append(time.perf_counter())
    return before + 1
