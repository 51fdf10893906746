"""Predictions and outcomes in SQLite lie in a file for each month; whole months go, and nothing else does."""

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest
from sqlalchemy import Engine, event

from churn.errors import InputError
from churn.ledger import predictions as predictions_module
from churn.ledger.ledger_tables import HISTORIES, MONTHLY, OUTCOMES
from churn.ledger.months import by_month
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger
from churn.ledger.records import Ledger
from tests.churn.ledger.old_ledger import write_old_ledger

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(file):
    with PredictionLedger(f"sqlite:///{file}") as opened:
        yield opened


def prediction(name, at, customer="C1"):
    return Prediction(at, name, customer, "7", "production", "api", 0.5, True, "ab" * 16)


def month_file(file, month):
    return file.with_name(f"ledger-{month}.db")


def ids(path, table="predictions"):
    with closing(sqlite3.connect(path)) as database:
        return [name for (name,) in database.execute(f"SELECT prediction_id FROM {table}")]


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".db")


def set_clock(monkeypatch, now):
    """The time at which outcomes are recorded."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return now.astimezone(tz)

    monkeypatch.setattr(predictions_module, "datetime", Clock)


def test_the_last_and_the_first_microsecond_of_a_month_lie_in_two_files(ledger, file):
    west = DECEMBER.astimezone(timezone(timedelta(hours=-8)))  # still November there

    ledger.record([prediction("last", DECEMBER - MICROSECOND), prediction("first", DECEMBER)])
    ledger.record([prediction("west", west), prediction("western", west - MICROSECOND)])

    assert ids(month_file(file, "2026-11")) == ["last", "western"]
    assert ids(month_file(file, "2026-12")) == ["first", "west"]
    assert [one.prediction_id for one in ledger.predictions()] == [
        "last",
        "western",
        "first",
        "west",
    ]


def test_a_folder_may_have_any_name(tmp_path):
    file = tmp_path / "Zoë %20 #1" / "ledger.old.sqlite"
    with PredictionLedger(f"sqlite:///{file}") as ledger:
        ledger.record([prediction("p", DECEMBER)])
        assert ledger.count() == 1

    assert ids(file.with_name("ledger.old-2026-12.sqlite")) == ["p"]


def test_outcomes_lie_in_the_month_they_are_recorded_in(ledger, file, monkeypatch):
    for name, now in (("last", DECEMBER - MICROSECOND), ("first", DECEMBER)):
        set_clock(monkeypatch, now)
        ledger.record_outcomes([Outcome(datetime(2020, 1, 1, tzinfo=UTC), True, name)])

    assert ids(month_file(file, "2026-11"), "outcomes") == ["last"]
    assert ids(month_file(file, "2026-12"), "outcomes") == ["first"]
    assert [one.prediction_id for one in ledger.outcomes()] == ["last", "first"]


def test_a_clock_that_goes_back_over_the_boundary_loses_nothing(ledger, file):
    moments = [DECEMBER, DECEMBER - MICROSECOND, DECEMBER + MICROSECOND, DECEMBER - 2 * MICROSECOND]
    recorded = [prediction(f"p-{place}", at) for place, at in enumerate(moments)]

    assert [[one.prediction_id for one in part] for _, part in by_month(recorded)] == [
        ["p-0"], ["p-1"], ["p-2"], ["p-3"],
    ]  # fmt: skip
    ledger.record(recorded)

    assert ids(month_file(file, "2026-11")) == ["p-1", "p-3"]
    assert ids(month_file(file, "2026-12")) == ["p-0", "p-2"]


def test_several_writers_at_the_boundary_lose_nothing(file):
    together = threading.Barrier(6)
    problems = []

    def write(number):
        try:
            with PredictionLedger(f"sqlite:///{file}") as opened:
                together.wait()
                for place in range(10):
                    at = DECEMBER + (MICROSECOND if (number + place) % 2 else -MICROSECOND)
                    opened.record([prediction(f"{number}-{place}-{n}", at) for n in range(9)])
        except InputError as error:
            problems.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert problems == []
    november, december = (ids(month_file(file, month)) for month in ("2026-11", "2026-12"))
    assert len(november) == len(december) == 270
    assert len({*november, *december}) == 540


def test_processes_that_come_upon_no_file_at_once_all_write(file):
    fork = multiprocessing.get_context("fork")
    together = fork.Barrier(8)

    def write(number):
        with PredictionLedger(f"sqlite:///{file}") as opened:
            together.wait(30)
            opened.record([prediction(f"p-{number}", DECEMBER)])

    processes = [fork.Process(target=write, args=(number,)) for number in range(8)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)

    assert [each.exitcode for each in processes] == [0] * 8
    assert sorted(ids(month_file(file, "2026-12"))) == [f"p-{number}" for number in range(8)]


def test_what_is_written_after_outcomes_is_seen_by_others(ledger, file):
    """To open and close a file of SQLite's gives up its locks, and another process then deletes the log."""
    now = datetime.now(UTC)
    read = "import sys; from churn.ledger.predictions import PredictionLedger as L; print(L(sys.argv[1]).count())"

    def count():
        command = [sys.executable, "-c", read, f"sqlite:///{file}"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    ledger.record([prediction("p-1", now)])
    ledger.record_outcomes([Outcome(now, True, "p-1")])
    PredictionLedger(f"sqlite:///{file}").prepare()
    assert count() == 1
    ledger.record([prediction("p-2", now)])

    assert count() == 2


@pytest.mark.parametrize(
    ("now", "keep", "kept"),
    [
        (DECEMBER - MICROSECOND, 1, ["2026-11", "2026-12"]),
        (DECEMBER, 1, ["2026-12"]),
        (DECEMBER - MICROSECOND, 2, ["2026-10", "2026-11", "2026-12"]),
        (DECEMBER, 2, ["2026-11", "2026-12"]),
        (DECEMBER, 12, ["2026-01", "2026-10", "2026-11", "2026-12"]),
        (DECEMBER, 13, ["2025-12", "2026-01", "2026-10", "2026-11", "2026-12"]),
        (DECEMBER, 1200, ["2025-12", "2026-01", "2026-10", "2026-11", "2026-12"]),
        (DECEMBER, 0, ["2025-12", "2026-01", "2026-10", "2026-11", "2026-12"]),
    ],
)
def test_months_past_retention_are_removed_and_no_other(ledger, file, now, keep, kept):
    months = ["2025-12", "2026-01", "2026-10", "2026-11", "2026-12"]
    for month in months:
        ledger.record([prediction(month, datetime.fromisoformat(f"{month}-15T00:00:00+00:00"))])

    removed = ledger.rotate(now, keep)

    assert removed == [month for month in months if month not in kept]
    assert files(file.parent) == [*(f"ledger-{month}.db" for month in kept), "ledger.db"]
    assert [one.prediction_id for one in ledger.predictions()] == kept
    assert ledger.rotate(now, keep) == []


def test_files_that_are_not_months_of_this_ledger_stay_and_are_not_read(ledger, file):
    ledger.record([prediction("old", datetime(2025, 3, 1, tzinfo=UTC))])
    write_old_ledger(month_file(file, "2024-01"))  # somebody's copy
    for name in (
        "ledger-2024-13.db",
        "ledger-2024-03.db.bak",
        "other-2024-01.db",
        "ledger-24-1.db",
    ):
        file.with_name(name).write_text("")
    month_file(file, "2024-04").mkdir()
    before = set(file.parent.iterdir())

    assert [one.prediction_id for one in ledger.predictions()] == ["old"]
    assert ledger.rotate(DECEMBER, 13) == ["2025-03"]

    assert before - set(file.parent.iterdir()) <= {
        file.with_name(f"ledger-2025-03.db{end}") for end in ("", "-wal", "-shm")
    }
    with pytest.raises(
        InputError, match=r"ledger-2024-01\.db is an SQLite database, but not a led"
    ):
        ledger.record([prediction("p", datetime(2024, 1, 1, tzinfo=UTC))])


def test_of_several_processes_that_remove_a_month_one_says_so(ledger, file):
    ledger.record([prediction("old", datetime(2025, 3, 1, tzinfo=UTC))])
    others = [PredictionLedger(f"sqlite:///{file}") for _ in range(4)]
    said = []
    workers = [
        threading.Thread(target=lambda each=each: said.extend(each.rotate(DECEMBER, 2)))
        for each in others
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert said == ["2025-03"]


def test_a_removed_month_takes_a_late_prediction_and_an_outcome(ledger, file, monkeypatch):
    set_clock(monkeypatch, DECEMBER)
    march = datetime(2025, 3, 1, tzinfo=UTC)
    ledger.record([prediction("old", march)])
    assert ledger.rotate(DECEMBER, 2) == ["2025-03"]

    ledger.record_outcomes([Outcome(march, True, "old")])
    ledger.record([prediction("late", march)])

    assert [one.prediction_id for one in ledger.outcomes()] == ["old"]
    assert ids(month_file(file, "2025-03")) == ["late"]
    assert ledger.rotate(DECEMBER, 2) == ["2025-03"]


def test_a_month_whose_file_was_made_and_no_more_is_filled(ledger, file):
    month_file(file, "2026-11").write_bytes(b"")

    assert ledger.predictions() == []
    ledger.record([prediction("p", DECEMBER - MICROSECOND)])

    assert ids(month_file(file, "2026-11")) == ["p"]


def test_of_a_months_tables_all_are_made_or_none(ledger, file, monkeypatch):
    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    event.listen(OUTCOMES, "before_create", fail)
    try:
        with pytest.raises(InputError, match="Input/output error"):
            ledger.record([prediction("p", DECEMBER)])
    finally:
        event.remove(OUTCOMES, "before_create", fail)
    with closing(sqlite3.connect(month_file(file, "2026-12"))) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == []

    ledger.record([prediction("p", DECEMBER)])
    with closing(sqlite3.connect(month_file(file, "2026-12"))) as database:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            database.execute("DELETE FROM predictions")
        assert database.execute("PRAGMA user_version").fetchone() == (HISTORIES[MONTHLY].revision,)


@pytest.fixture
def disk():
    """Limits the pages of every SQLite database that is opened, and lifts the limit."""
    limit = {"pages": 40}

    def set_limit(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

    event.listen(Engine, "checkout", set_limit)
    yield limit
    event.remove(Engine, "checkout", set_limit)


def test_a_full_database_refuses_whole_batches_and_goes_on_when_there_is_space(ledger, file, disk):
    batches = [[prediction(f"{b}-{n}", DECEMBER) for n in range(100)] for b in range(20)]
    kept = []
    with pytest.raises(InputError, match="database or disk is full"):  # noqa: PT012 - until it is full
        for batch in batches:
            ledger.record(batch)
            kept += batch
    with pytest.raises(InputError, match="database or disk is full"):
        ledger.record(batches[len(kept) // 100])
    assert 0 < len(kept) < 2000
    assert ledger.predictions() == kept

    disk["pages"] = 4_000
    for batch in batches[len(kept) // 100 :]:
        ledger.record(batch)

    assert [one.prediction_id for one in ledger.predictions()] == [
        one.prediction_id for batch in batches for one in batch
    ]


def test_at_its_limit_a_ledger_removes_its_oldest_months_but_not_the_current_one(file, monkeypatch):
    monkeypatch.setattr(predictions_module, "_SPACE_SECONDS", 0.0)
    october = datetime(2026, 10, 1, tzinfo=UTC)
    november = datetime(2026, 11, 1, tzinfo=UTC)
    limit = r"its limit of 600,000 bytes"
    names = count()

    def many(at):
        return [prediction(f"p-{next(names)}", at) for _ in range(1000)]

    with PredictionLedger(f"sqlite:///{file}", max_bytes=600_000) as ledger:
        for at in (october, november, november):
            ledger.record(many(at))
        with pytest.raises(InputError, match=rf"{limit}\. Raise CHURN_LEDGER_MAX"):
            ledger.record(many(october))
        with pytest.raises(InputError, match=limit):
            ledger.record_outcomes([Outcome(november, True, "p-1")])
        assert ledger.free_bytes() <= 0
        assert ledger.rotate(DECEMBER - MICROSECOND, 0) == ["2026-10"]
        assert 0 < ledger.free_bytes() < 600_000
        with pytest.raises(InputError, match=limit):  # noqa: PT012 - until it is full
            for _ in range(9):
                ledger.record(many(november))
        assert ledger.rotate(DECEMBER - MICROSECOND, 0) == []
        assert ledger.count() >= 2000


def test_an_old_ledger_is_read_on_and_goes_when_all_of_it_is_past_retention(ledger, file):
    write_old_ledger(file)
    october = datetime(2026, 10, 5, tzinfo=UTC)

    ledger.record([prediction("new", october)])
    ledger.record_outcomes([Outcome(october, True, "old-2")])

    assert [one.prediction_id for one in ledger.predictions()] == ["old-1", "old-2", "new"]
    assert [one.prediction_id for one in ledger.predictions(after=1, limit=2)] == ["old-2", "new"]
    assert [one.prediction_id for one in ledger.predictions(after=2, limit=1)] == ["new"]
    assert ledger.predictions(after=3) == []
    assert [one.prediction_id for one in ledger.outcomes()] == ["old-1", "old-2"]
    assert ledger.treatments() == []
    assert ledger.count() == 3
    found = ledger.predictions_with_outcomes(datetime(2026, 8, 1, tzinfo=UTC), DECEMBER)
    assert [(one.prediction_id, bool(outcome)) for one, outcome in found] == [
        ("old-1", True), ("old-2", True), ("new", False),
    ]  # fmt: skip
    assert ids(file) == ["old-1", "old-2"]
    with Ledger(f"sqlite:///{file}") as decisions:
        assert decisions.approval("telco-churn", "5").person == "Ada"
        assert ledger.rotate(datetime(2026, 10, 31, tzinfo=UTC), 2) == []  # September is kept
        assert ledger.rotate(datetime(2026, 11, 1, tzinfo=UTC), 2) == ["all until 2026-09"]
        assert decisions.approval("telco-churn", "5").person == "Ada"
    assert [one.prediction_id for one in ledger.predictions()] == ["new"]
    assert ledger.rotate(datetime(2026, 11, 1, tzinfo=UTC), 2) == []


@pytest.mark.parametrize("open_ledger", [Ledger, PredictionLedger])
def test_a_ledger_of_a_newer_release_or_another_program_is_refused(file, open_ledger):
    for pragma, reason in (
        ("user_version = 77", "newer release"),
        ("application_id = 77", "not a ledger"),
        ("user_version = 0", "not a ledger"),  # as of a file of which no program says anything
        ("user_version = 1", "not a ledger"),
    ):
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE others (id)")
            database.execute(f"PRAGMA {pragma}")

        with open_ledger(f"sqlite:///{file}") as opened, pytest.raises(InputError, match=reason):
            opened.count() if open_ledger is PredictionLedger else opened.decisions("m")
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("others",)]
