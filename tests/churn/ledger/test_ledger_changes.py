"""Changes of production: rows before and after each, and one command at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3

import pytest

from churn.errors import ChurnError, InputError
from churn.ledger.changes import ChangeLedger, ProductionChange


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"


@pytest.fixture
def ledger(url):
    with ChangeLedger(url, lock_seconds=0.1) as opened:
        yield opened


def change(version="2", before="1", **more):
    fields = {"stage_before": "staging", "command": "promotion", "reason": "every gate passed"}
    return ProductionChange(
        model=more.pop("model", "telco-churn"),
        version=version,
        version_before=before,
        **fields | more,
    )


def test_the_newest_row_says_how_far_a_change_got(ledger):
    assert ledger.last_change("telco-churn") is None
    assert not ledger.file.exists()  # a dry run only looks
    intended = change(person="Ada")

    ledger.record_change(intended)
    assert ledger.last_change("telco-churn") == intended
    assert (intended.open, intended.in_production) == (True, "1")

    for status, version in (("undone", "1"), ("done", "2")):
        ledger.record_change(intended.closed(status))
        newest = ledger.last_change("telco-churn")
        assert (newest.open, newest.in_production, newest.person) == (False, version, "Ada")
    assert [each.status for each in ledger.changes("telco-churn")] == ["done", "undone", "intended"]


def test_models_do_not_see_each_others_changes(ledger):
    ledger.record_change(change(model="other"))

    assert ledger.last_change("telco-churn") is None


@pytest.mark.parametrize("statement", ["UPDATE production_changes SET status = 'done'",
                                       "DELETE FROM production_changes"])  # fmt: skip
def test_what_was_recorded_cannot_be_changed(ledger, statement):
    ledger.record_change(change())

    refused = pytest.raises(sqlite3.IntegrityError, match="only grows")
    with sqlite3.connect(ledger.file) as database, refused:
        database.execute(statement)


def test_a_ledger_of_before_the_changes_gets_their_table(ledger, url):
    with ledger.transaction():
        pass
    with sqlite3.connect(ledger.file) as database:
        database.execute("DROP TABLE production_changes")
        database.execute("PRAGMA user_version = 1")

    with ChangeLedger(url) as opened:
        opened.record_change(change())

        assert opened.last_change("telco-churn") is not None


def test_one_command_at_a_time_changes_production(ledger, url):
    refused = pytest.raises(ChurnError, match="is changing what is in production")
    another = ChangeLedger(url, lock_seconds=0.1)
    with ledger.changing(), refused, another.changing():
        pytest.fail("two at a time")

    with ledger.changing():
        pass


def hold(url, ready):
    with ChangeLedger(url) as ledger, ledger.changing():
        ready.set()
        signal.pause()


def test_the_lock_of_a_process_that_was_killed_is_free(ledger, url):
    spawning = multiprocessing.get_context("spawn")
    ready = spawning.Event()
    holder = spawning.Process(target=hold, args=(url, ready))
    holder.start()
    assert ready.wait(60)

    with pytest.raises(ChurnError), ledger.changing():
        pytest.fail("it is held")
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()

    with ledger.changing():
        pass


def test_what_fails_under_the_lock_is_not_blamed_on_the_ledger(ledger):
    with pytest.raises(OSError, match="another disk"), ledger.changing():
        raise OSError("another disk")


def test_a_ledger_that_another_writes_to_refuses_the_change(ledger):
    with ledger.transaction():
        pass
    with sqlite3.connect(ledger.file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(InputError, match="database is locked"):
            ledger.record_change(change())
