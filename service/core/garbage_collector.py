"""Python's garbage collector in a process that serves: it would stop it for tens of milliseconds."""

from __future__ import annotations

import gc

_COLLECT_AFTER = (20_000, 20, 20)  # scoring makes no cycles; queued predictions are no garbage


def spare_garbage_collector() -> None:
    """What is loaded by now stays: the garbage collector need not check it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
