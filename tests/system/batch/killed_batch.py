"""A batch in a process of its own, which kills itself at one of its commits if it is told to."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from churn.batch.output_folder import LocalFolder, output_folder
from churn.batch.run_batch import BatchRequest, run_batch
from churn.data.sources import open_source
from churn.ledger.predictions import PredictionLedger

ROWS_A_PART = 700


class Commit(NamedTuple):
    """A commit of a run, counted from 1, and on which side of its rename the process ends."""

    number: int
    side: Literal["before", "behind"]


def score(folder: Path, store: Path, stop: Commit | None = None, ready: Any = None) -> None:
    """Scores `customers.csv` of a folder into `out`, with predictions in its ledger."""
    if stop is not None:
        _kill_at(stop)
    if ready is not None:
        ready.set()
    with PredictionLedger(f"sqlite:///{folder}/ledger/ledger.db") as ledger:
        run_batch(
            BatchRequest(store, "churn", rows_a_part=ROWS_A_PART, explain=1),
            output_folder(folder / "out"),
            lambda contract: open_source(
                str(folder / "customers.csv"), contract, optional=contract.unscored
            ),
            ledger=ledger,
        )


def _kill_at(stop: Commit) -> None:
    real, count = LocalFolder.new_file, 0

    @contextmanager
    def new_file(self, name):
        nonlocal count
        count += 1
        with real(self, name) as path:
            yield path
            if (count, "before") == stop:
                os.kill(os.getpid(), signal.SIGKILL)
        if (count, "behind") == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    LocalFolder.new_file = new_file
