"""The engine of one machine: chunks are scored by threads, one a core, and come back in their order.

Arrow, numpy and the compiled trees leave the interpreter's lock to others while they work, so threads
use all cores and share one scorer; a second process would load everything again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from churn.batch.score_chunk import BatchScorer, ScoredChunk, score_chunk
from churn.data.sources import TableChunk

_AHEAD = 2  # chunks a thread: one at work, one waiting, so that none idles while a part is written
_FEW = 10_000  # rows that LightGBM scores in a tenth of a second


def all_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class LocalEngine:
    """Scores chunks on so many threads; what it yields is the same for any number.

    Attributes:
        workers: number of threads.
    """

    workers: int

    def __call__(
        self, chunks: Iterable[TableChunk], scorer: BatchScorer
    ) -> Iterator[tuple[TableChunk, ScoredChunk]]:
        """The chunks and their scores, in the order of the chunks."""
        # Arrow's own pool gives memory back after a chunk, and for the next the kernel fills it with zeros.
        pa.set_memory_pool(pa.system_memory_pool())
        waiting: deque[tuple[TableChunk, Future[ScoredChunk]]] = deque()
        rows, few = 0, True
        with ThreadPoolExecutor(self.workers, "score") as pool:
            try:
                for chunk in chunks:
                    rows += chunk.table.num_rows
                    if few and rows > _FEW:  # below, compiling costs more than it saves
                        few = False
                        scorer.scorer.compile(contributions=bool(scorer.explain))
                    waiting.append((chunk, pool.submit(_scored, chunk, scorer)))
                    if len(waiting) >= _AHEAD * self.workers:
                        yield _first(waiting)
                while waiting:
                    yield _first(waiting)
            finally:
                pool.shutdown(cancel_futures=True)


def _scored(chunk: TableChunk, scorer: BatchScorer) -> ScoredChunk:
    return score_chunk(chunk.table, scorer, first_row=chunk.first_row + 1)


def _first(
    waiting: deque[tuple[TableChunk, Future[ScoredChunk]]],
) -> tuple[TableChunk, ScoredChunk]:
    chunk, scored = waiting.popleft()
    return chunk, scored.result()
