"""The engine that a batch is asked to use, ready to score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from churn.batch.batch_settings import EngineName
from churn.batch.local_engine import LocalEngine, all_cores
from churn.batch.parts_of_job import Engine
from churn.scoring.address import Address


@contextmanager
def opened_engine(name: EngineName, store: Address, spark_master: str = "") -> Iterator[Engine]:
    """All cores of this machine, or a Spark cluster for as long as the context lasts.

    Raises:
        InputError: PySpark or Java is missing, or of a version that does not fit.
        ChurnError: Spark does not start, or stops.
    """
    if name == "local":
        yield LocalEngine(all_cores())
        return
    from churn.batch.spark_engine import SparkEngine
    from churn.batch.spark_session import spark_session

    with spark_session(spark_master) as session:
        yield SparkEngine(session, store)
