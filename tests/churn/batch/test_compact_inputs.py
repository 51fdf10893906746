"""JSON lines of services become the parquet that monitoring reads: each row once, whatever happens."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from pyarrow import parquet

from churn.batch import compact_inputs as module
from churn.batch.compact_inputs import compact
from churn.batch.output_folder import output_folder
from churn.errors import ChurnError
from churn.kept_inputs.day_files import find_days, source_of
from tests.servers.published import customers

__all__ = ["customers"]

TODAY = date(2026, 11, 30)


@pytest.fixture
def folder(tmp_path):
    return output_folder(tmp_path / "churn")


@pytest.fixture
def written(folder, customers, tmp_path):
    """Writes a file of lines, as a service does."""

    def write(day="2026-11-29", name="service-ab", rows=None, end=b""):
        lines = [json.dumps(row).encode() for row in rows or customers[:3]]
        file = tmp_path / "churn" / day / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\n".join(lines) + b"\n" + end)
        return file

    return write


def run(folder, contract, to=None, days=90):
    return compact(folder, to or folder, contract, days=days, today=TODAY)


def test_the_lines_of_days_that_are_over_become_parquet(folder, written, contract, customers):
    old, todays = written(), written("2026-11-30")

    done = run(folder, contract)

    assert (done["files"], done["rows"], done["refused"]) == (1, 3, 0)
    assert not old.exists()
    assert todays.exists()
    days = find_days(folder, 7, TODAY)
    (name,) = days.names
    assert source_of(name) == "service"
    assert find_days(folder, 7, TODAY, "stream").names == ()
    table = parquet.read_table(old.parent / name.rpartition("/")[2])
    assert table["customerID"].to_pylist() == [row["customerID"] for row in customers[:3]]
    assert table["Contract"].to_pylist() == [row["Contract"] for row in customers[:3]]


def test_a_line_that_broke_off_and_one_of_another_contract_are_counted(
    folder, written, contract, customers
):
    rows = [customers[0], customers[1] | {"Contract": "Weekly"}, {"another": "contract"}]
    written(rows=rows, end=b'{"customerID": "x", "ten')

    done = run(folder, contract)

    assert (done["rows"], done["refused"]) == (1, 3)


def test_a_run_that_was_killed_before_the_lines_went_makes_the_same_file(
    folder, written, contract, monkeypatch
):
    written()
    with monkeypatch.context() as patch:
        patch.setattr(type(folder), "remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(folder, contract)
    before = find_days(folder, 7, TODAY)
    assert (len(before.names), before.waiting) == (1, 1)

    run(folder, contract)

    after = find_days(folder, 7, TODAY)
    assert (after.names, after.waiting) == (before.names, 0)


def test_files_of_another_source_are_neither_waited_for_nor_late(folder, written):
    written()
    with folder.new_file("2027-01-05/service-1.parquet") as path:
        path.write_bytes(b"")

    ours, theirs = (find_days(folder, 7, TODAY, source) for source in ("service", "batch"))

    assert (ours.waiting, ours.later) == (1, 1)
    assert (theirs.waiting, theirs.later) == (0, 0)


def test_lines_that_came_late_take_no_place(folder, written, contract, customers):
    written()
    run(folder, contract)
    written(rows=customers[5:6])

    run(folder, contract)

    assert len(find_days(folder, 7, TODAY).names) == 2


def test_what_is_too_old_goes_whatever_its_form(folder, written, contract):
    written("2026-11-20")
    run(folder, contract)
    written("2026-11-21")
    written("2026-11-28")

    done = run(folder, contract, days=2)

    assert done["files"] == 1
    assert [name[:10] for name in folder.names()] == ["2026-11-28"]


def test_two_runs_at_once_are_one(folder, written, contract):
    written()
    with folder.locked(), pytest.raises(ChurnError, match="Another run"):
        run(folder, contract)


def test_the_command_needs_nothing_but_the_models_name(
    store, written, tmp_path, monkeypatch, capsys
):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 30, 1, tzinfo=tz or UTC)

    monkeypatch.setattr(module, "datetime", Clock)
    written()

    code = module.main(["churn", "--inputs", str(tmp_path), "--store", str(store)])

    assert (code, capsys.readouterr().out) == (0, "3 customers of 1 files kept\n")
