"""Threads score chunks to the same scores, in the same order, for any number of them."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from churn.batch import local_engine
from churn.batch.local_engine import LocalEngine, all_cores
from churn.batch.score_chunk import score_chunk
from churn.data.sources import TableChunk
from churn.errors import InputError
from churn.scoring.scorer import Scorer


def chunks(table: pa.Table, rows: int) -> list[TableChunk]:
    return [
        TableChunk(number, at, table.slice(at, rows))
        for number, at in enumerate(range(0, table.num_rows, rows))
    ]


@pytest.fixture(scope="module")
def some_bad(raw_customers):
    """Real rows, every ninth with a contract term that does not exist."""
    terms = np.array(raw_customers["Contract"].to_pylist(), dtype=object)
    terms[::9] = "Biennial"
    place = raw_customers.column_names.index("Contract")
    return raw_customers.set_column(place, "Contract", pa.array(terms, pa.string()))


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("explain", [0, 2])
def test_any_number_of_threads_gives_what_one_call_after_another_gives(
    batch_scorer, some_bad, workers, explain
):
    scorer = replace(batch_scorer, explain=explain)
    given = chunks(some_bad, 501)

    found = list(LocalEngine(workers)(iter(given), scorer))

    assert [chunk.number for chunk, _ in found] == list(range(len(given)))
    for chunk, scored in found:
        expected = score_chunk(chunk.table, scorer, first_row=chunk.first_row + 1)
        assert scored.scores == expected.scores
        assert scored.rejected == expected.rejected


def test_chunks_are_read_only_as_far_as_the_threads_need_them(batch_scorer, raw_customers):
    read = []

    def reading():
        for chunk in chunks(raw_customers, 100):
            read.append(chunk.number)
            yield chunk

    scored = LocalEngine(2)(reading(), batch_scorer)
    next(scored)

    assert len(read) <= 5
    scored.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("score")]


@pytest.mark.parametrize(("few", "expected"), [(7043, []), (7042, [True])])
def test_trees_are_compiled_once_for_more_than_a_few_rows_however_small_the_chunks(
    batch_scorer, raw_customers, monkeypatch, few, expected
):
    compiled = []
    monkeypatch.setattr(
        Scorer, "compile", lambda _self, *, contributions=False: compiled.append(contributions)
    )
    monkeypatch.setattr(local_engine, "_FEW", few)

    list(LocalEngine(2)(chunks(raw_customers, 1000), replace(batch_scorer, explain=1)))

    assert compiled == expected


def test_what_goes_wrong_in_a_thread_is_raised_where_it_is_waited_for(batch_scorer, raw_customers):
    broken = [*chunks(raw_customers, 3000), TableChunk(3, 7043, raw_customers.drop(["tenure"]))]

    with pytest.raises(InputError, match="tenure"):
        list(LocalEngine(2)(broken, batch_scorer))


def test_there_is_at_least_one_core():
    assert all_cores() >= 1
