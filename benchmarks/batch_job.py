"""One batch in a process of its own, which imports nothing that a batch does not need."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from typing import Any

from churn.batch.local_engine import LocalEngine
from churn.batch.output_folder import output_folder
from churn.batch.run_batch import BatchRequest, run_batch
from churn.data.sources import open_source


def cpu_seconds(master: str) -> float:
    """What this process has used, and with a master Spark's Java and its workers, too."""
    if not master:
        return time.process_time()
    import psutil

    this = psutil.Process()
    times = [each.cpu_times() for each in (this, *this.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def job(
    store: str, customers: str, output: str, workers: int, explain: int, master: str, ledger: str
) -> None:
    """Scores a table into a folder, on threads or on Spark; prints its rows and its cost."""
    request = BatchRequest(
        store=store, model="churn", explain=explain, in_ledger=bool(ledger), max_bad_rows=1.0
    )

    def score(engine: Any) -> None:
        began, spent = time.perf_counter(), cpu_seconds(master)
        with ExitStack() as places:
            kept = None
            if ledger:
                from churn.ledger.predictions import PredictionLedger

                kept = places.enter_context(PredictionLedger(ledger))
            result = run_batch(
                request,
                output_folder(output),
                lambda contract: open_source(
                    customers, contract, optional=(*contract.unscored, contract.id.name), coded=True
                ),
                engine=engine,
                ledger=kept,
            )
        cost = {"seconds": time.perf_counter() - began, "cpu": cpu_seconds(master) - spent}
        print(json.dumps({"rows": result.manifest.rows, **cost}))

    if not master:
        score(LocalEngine(workers))
        return
    from churn.batch.spark_engine import SparkEngine
    from churn.batch.spark_session import spark_session

    with spark_session(master) as session:
        session.sparkContext.setLogLevel("OFF")
        session.range(workers).mapInArrow(lambda batches: batches, "id long").collect()  # started
        score(SparkEngine(session, store))


if __name__ == "__main__":
    store, customers, output, workers, explain, master, ledger = sys.argv[1:]
    job(store, customers, output, int(workers), int(explain), master, ledger)
