"""Keeps linear algebra on one thread while models are fitted.

Sums split over threads round differently with the number of threads, and spinning threads cost
more than they save on tables this small. The limit is the process's, so fits that overlap in
threads share it: the first sets it, the last lifts it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_lock = threading.Lock()
_limit = ExitStack()
_inside = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, BLAS and OpenMP run on one thread; may be entered by many threads at once."""
    from threadpoolctl import threadpool_limits

    global _inside  # noqa: PLW0603 - what it counts is process-wide too
    with _lock:
        if not _inside:
            _limit.enter_context(threadpool_limits(limits=1))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.close()
