"""Nobody but its owner reads a ledger in SQLite, whatever the umask and whatever was there before."""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from churn.errors import InputError
from churn.ledger.predictions import Outcome, PredictionLedger
from churn.ledger.records import Ledger
from tests.churn.ledger.old_ledger import write_old_ledger

NOW = datetime.now(UTC)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_every_file_is_its_owners_and_every_folder_that_is_made(tmp_path, umask):
    tmp_path.chmod(0o755)
    folder = tmp_path / "made" / "here"
    with PredictionLedger(f"sqlite:///{folder}/ledger.db") as ledger:
        ledger.prepare()
        ledger.record_outcomes([Outcome(NOW, churned=True, customer="C1")])
        with Ledger(f"sqlite:///{folder}/ledger.db") as decisions:
            decisions.record_approval("m", "1", "Ada")
            modes = {path.name: mode(path) for path in folder.iterdir()}

    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm", f"ledger-{NOW:%Y-%m}.db"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert mode(folder) == mode(folder.parent) == 0o700
    assert mode(tmp_path) == 0o755


def test_an_existing_file_is_narrowed_and_its_folder_is_left(tmp_path):
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as database:
        write_old_ledger(file)
        database.execute("CREATE TABLE unknown (id)")
        beside = [tmp_path / "ledger.db-wal", tmp_path / "ledger.db-shm"]
        for path in (file, *beside):
            path.chmod(0o666)
        tmp_path.chmod(0o755)

        with Ledger(f"sqlite:///{file}") as ledger:
            ledger.decisions("m")

            assert {mode(path) for path in (file, *beside)} == {0o600}
    assert mode(tmp_path) == 0o755


def test_a_file_of_somebody_else_that_others_read_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "ledger.db"
    file.touch(0o644)

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)

    expected = rf"open to other users.*`chmod 600 {file}`"
    with Ledger(f"sqlite:///{file}") as ledger, pytest.raises(InputError, match=expected):
        ledger.decisions("m")
    assert file.stat().st_size == 0
