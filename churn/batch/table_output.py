"""Scores into a table of a database: by customer, or beside those of earlier jobs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa

from churn.batch.job import BatchJob
from churn.batch.part import with_plain_reasons
from churn.batch.score_chunk import scores_schema
from churn.data.intake.address import is_sql
from churn.data.sources import open_sink
from churn.data.sources.count_rows import count_rows
from churn.data.sources.sql_address import sql_address
from churn.data.sources.sql_sink import SqlSink

_BY_JOB = ("job", "row")


def is_table(output: str) -> bool:
    """Whether an output is a table of a database."""
    scheme, found, _ = output.partition("://")
    return bool(found) and is_sql(scheme.casefold())


class TableOutput:
    """A table that takes the scores of a job in one transaction, and again without a change.

    Args:
        address: of the table.
        append: whether the scores of earlier jobs stay, in rows of their own; otherwise a customer's
            row is replaced. A table without ids is always appended.
    """

    def __init__(self, address: str, *, append: bool) -> None:
        self._address, self._append = address, append
        self.shown = open_sink(address).shown  # which says at once what is wrong with the address

    def require_fit(self, *, explained: bool, has_ids: bool) -> None:
        """Checks, before an hour of scoring, that the database answers and the table can take scores.

        Args:
            explained: whether they have reasons.
            has_ids: whether the input has a column of ids.

        Raises:
            InputError: it cannot.
        """
        nothing = _with_job(scores_schema(explained=explained).empty_table(), "")
        sink = SqlSink(sql_address(self._address), self._key(has_ids=has_ids))
        sink.require_open()
        sink.require_fit(nothing.schema)

    def has_all(self, job: BatchJob, scored: int, *, has_ids: bool) -> bool:
        """Whether the table still has a row for each that a complete job has scored.

        A customer's row may be of a later job by now, which an earlier one does not replace.
        """
        by_job = self._key(has_ids=has_ids) == _BY_JOB
        of_job = {"job": job.id} if by_job else {}
        return count_rows(sql_address(self._address), **of_job) >= scored

    def __call__(self, job: BatchJob, scores: Iterator[Any]) -> None:
        """Writes a job's scores, pyarrow tables.

        Raises:
            InputError: the database or its table cannot be written to.
        """
        first = next(scores)
        key = self._key(has_ids=first["customer_id"].null_count == 0)
        open_sink(self._address, key=key).write(
            _with_job(table, job.id) for table in chain([first], scores)
        )

    def _key(self, *, has_ids: bool) -> tuple[str, ...]:
        return ("customer_id",) if has_ids and not self._append else _BY_JOB


def _with_job(table: Any, job: str) -> Any:
    return with_plain_reasons(table).add_column(0, "job", pa.repeat(job, table.num_rows))
