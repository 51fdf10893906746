"""A batch of a million customers, parquet to parquet."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evidence_batch import ROWS, figures
from benchmarks.goals import Figure
from benchmarks.trainings import Trainings


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of whole jobs over that of each peer, and their peak memory."""
    folder = trainings.folder / "batch"
    folder.mkdir()
    rows = ROWS // 10 if trainings.quick else ROWS
    yield from figures(folder, rows, trainings.runs, many=not trainings.quick)
