"""Keeps linear algebra on one thread while a regression is fitted.

Sums split over threads round differently with the number of threads, and on tables this small
spinning threads cost more than they save.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs BLAS on one thread; other threads that enter meanwhile wait.

    BLAS has one pool a process, and only the thread that set a limit can lift it (threadpoolctl
    3.8). So fits run one after the other: each takes some hundredths of a second.
    """
    from threadpoolctl import threadpool_limits

    with _lock, threadpool_limits(limits=1, user_api="blas"):
        yield
