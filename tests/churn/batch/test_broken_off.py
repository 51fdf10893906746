"""A run that ends at any of its commits, on either side of the rename: the next gives the same bytes."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager

import pytest
from pyarrow import parquet

from churn.batch import settled_job
from churn.batch.output_folder import LocalFolder
from churn.data.sources.stored_files import LocalFile
from churn.errors import ChurnError
from churn.ledger.predictions import PredictionLedger
from tests.churn.batch.conftest import files, with_values, write_csv

COMMITS = range(1, 15)


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.fixture
def table(raw_customers, tmp_path):
    """300 customers in three parts: two bad rows, and an id of the first part again in the last."""
    made = with_values(raw_customers.slice(0, 300), "tenure", {1: "x", 150: "y"})
    write_csv(with_values(made, "customerID", {290: "C00002"}), tmp_path / "table.csv")
    return tmp_path / "table.csv"


def end_at(monkeypatch, number, side):
    real, count = LocalFolder.new_file, 0

    @contextmanager
    def new_file(self, name):
        nonlocal count
        count += 1
        with real(self, name) as path:
            yield path
            if (count, side) == (number, "before"):
                raise Killed
        if (count, side) == (number, "behind"):
            raise Killed

    monkeypatch.setattr(LocalFolder, "new_file", new_file)


@pytest.mark.parametrize("side", ["before", "behind"])
def test_the_next_run_goes_on_from_every_commit(score, table, tmp_path, monkeypatch, side):
    whole = tmp_path / "whole"
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger/whole.db") as ledger:
        score(table, into=whole, ledger=ledger, rows_a_part=100, max_bad_rows=0.1)
        expected = ledger.predictions()
    ended = 0
    for number in COMMITS:
        folder = tmp_path / f"{side}-{number}"
        folder.mkdir()
        shutil.copy(whole / "job.json", folder)
        with PredictionLedger(f"sqlite:///{tmp_path}/ledger/{side}-{number}.db") as ledger:
            with monkeypatch.context() as patch:
                end_at(patch, number, side)
                try:
                    score(table, into=folder, ledger=ledger, rows_a_part=100, max_bad_rows=0.1)
                except Killed:
                    ended += 1
            score(table, into=folder, ledger=ledger, rows_a_part=100, max_bad_rows=0.1)
            assert ledger.predictions() == expected
        assert but_the_manifest(folder) == but_the_manifest(whole)
    assert ended == len(COMMITS)


def but_the_manifest(folder):
    return {name: content for name, content in files(folder).items() if name != "manifest.json"}


@pytest.fixture
def parquet_file(raw_customers, tmp_path):
    """300 customers in three row groups."""
    parquet.write_table(raw_customers.slice(0, 300), tmp_path / "table.parquet", row_group_size=100)
    return tmp_path / "table.parquet"


@pytest.mark.parametrize("where", ["table", "parquet_file"])
def test_an_input_that_is_lost_in_the_middle_costs_no_part(
    score, output, tmp_path, monkeypatch, where, request
):
    path = request.getfixturevalue(where)
    score(path, into=tmp_path / "whole", rows_a_part=100, max_bad_rows=0.1)
    output.mkdir()
    shutil.copy(tmp_path / "whole" / "job.json", output)

    def lose(_rows):
        monkeypatch.setattr(LocalFile, "stamp", unreachable)

    with pytest.raises(ChurnError, match=r"cannot be read: Input/output error.*goes on where") as e:
        score(path, rows_a_part=100, max_bad_rows=0.1, on_rows=lose)
    monkeypatch.undo()

    assert e.value.exit_code == 1
    kept = len([name for name in files(output) if name.startswith("scores/")])
    assert kept > 0
    result = score(path, rows_a_part=100, max_bad_rows=0.1)
    assert result.manifest.parts_found == kept
    assert but_the_manifest(output) == but_the_manifest(tmp_path / "whole")


def unreachable(*_):
    raise OSError(errno.EIO, "Input/output error")


def test_of_two_runs_that_begin_at_once_in_a_bucket_one_scores(score, table, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_SCRATCH_FOLDER", str(tmp_path / "scratch"))
    into, read_job = f"memory://{tmp_path.name}/out", settled_job.read_job

    def overtaken(folder):
        job = read_job(folder)
        monkeypatch.setattr(settled_job, "read_job", read_job)
        score(table, into=into, explain=1, max_bad_rows=0.1)
        return job

    monkeypatch.setattr(settled_job, "read_job", overtaken)

    with pytest.raises(ChurnError, match="Another run is writing to"):
        score(table, into=into, max_bad_rows=0.1)

    assert score(table, into=into, explain=1, max_bad_rows=0.1).unchanged
