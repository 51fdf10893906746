"""The window of kept inputs: what batches have kept, under pseudonyms, for its time."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import parquet

from churn.errors import InputError
from tests.steps.monitored_store import (
    check,
    folders,
    frame,
    keep,
    published_store,
    store,
    table,
    trained,
)

__all__ = ["check", "folders", "frame", "keep", "published_store", "store", "table", "trained"]


def kept_files(folders):
    return sorted(Path(folders["inputs"]).rglob("*.parquet"))


def test_the_kept_inputs_of_a_batch_are_the_window(check, keep, table, folders):
    keep(table())

    report = check()

    assert (report.window.kind, report.window.rows) == ("inputs", 1500)
    assert report.verdict == "ok"
    assert report.check.p_value == check(table()).check.p_value


def test_kept_inputs_name_no_customer(keep, table, folders, frame):
    keep(table())

    (file,) = kept_files(folders)
    kept = parquet.read_table(file)

    assert not set(kept["customerID"].to_pylist()) & set(frame["customerID"])
    assert len(set(kept["customerID"].to_pylist())) == 1500
    assert frame["customerID"].iloc[0].encode() not in file.read_bytes()


def test_a_customer_who_was_scored_on_two_days_counts_once(check, keep, table, frame):
    keep(table(frame, "first.csv"), days_ago=2)
    keep(table(frame.iloc[:400], "second.csv"), days_ago=1)

    report = check()

    assert (report.window.rows, report.window.repeated) == (1500, 400)


def test_nothing_is_kept_unless_it_is_asked_for(check, keep, table, folders):
    keep(table(), keep_inputs=False)

    report = check()

    assert kept_files(folders) == []
    assert report.verdict == "cannot tell"
    assert "keep_inputs" in report.window.note


@pytest.mark.parametrize(("days_ago", "left"), [(7, 2), (8, 1)])
def test_inputs_are_deleted_after_their_time(keep, table, frame, folders, days_ago, left):
    keep(table(frame, "old.csv"), days_ago=days_ago, keep_inputs_days=30)
    keep(table(frame, "new.csv"), keep_inputs_days=7)

    assert len(kept_files(folders)) == left


@pytest.mark.parametrize(("days_ago", "inside"), [(0, False), (1, True), (7, True), (8, False)])
def test_a_window_is_the_whole_days_before_today(check, keep, table, days_ago, inside):
    keep(table(), days_ago=days_ago)

    assert (check(days=7).window.rows > 0) == inside


def test_inputs_of_days_to_come_are_left_out_and_said(check, keep, table):
    keep(table(), days_ago=-2)

    report = check()

    assert report.verdict == "cannot tell"
    assert "a clock is wrong" in report.window.note


def test_the_same_batch_again_keeps_the_same_files(keep, table, folders):
    keep(table())
    before = {file: file.read_bytes() for file in kept_files(folders)}

    keep(table())

    assert {file: file.read_bytes() for file in kept_files(folders)} == before


@pytest.mark.parametrize("key", ["", "k" * 15, "k" * 65])
def test_no_input_is_kept_without_a_secret(keep, table, folders, monkeypatch, key):
    from churn.kept_inputs import pseudonym

    monkeypatch.setenv(pseudonym.VARIABLE, key)

    with pytest.raises(InputError, match="CHURN_INPUTS_KEY"):
        keep(table())

    assert kept_files(folders) == []


def test_a_damaged_file_of_inputs_is_a_sentence(check, keep, table, folders):
    keep(table())
    kept_files(folders)[0].write_bytes(b"PAR1")

    with pytest.raises(InputError, match="no whole parquet file"):
        check()
