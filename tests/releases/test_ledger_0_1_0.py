"""The ledger that release 0.1.0 has left, opened and migrated by the code of today."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from churn.errors import InputError
from churn.ledger.deployments import DeploymentLedger
from churn.ledger.ledger_tables import HISTORIES, MONTHLY, PERMANENT
from churn.ledger.predictions import PredictionLedger
from churn.ledger.records import Ledger

KEPT = Path(__file__).parent / "0.1.0"
MODEL = "telco-churn"
SCHEMA = {"ledger.db": PERMANENT, "ledger-2026-11.db": MONTHLY}


@pytest.fixture
def ledger(tmp_path):
    """The files of its ledger; the address is that of the first."""
    for kept in KEPT.glob("*.sql"):
        with closing(sqlite3.connect(tmp_path / f"{kept.stem}.db")) as database:
            database.executescript(kept.read_text(encoding="utf-8"))
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def user_version(file):
    with closing(sqlite3.connect(file)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def objects(file):
    """Triggers and indexes, by name."""
    with closing(sqlite3.connect(file)) as database:
        query = "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index')"
        names = {name for (name,) in database.execute(query)}
        return {name for name in names if "_revision" not in name}


def differences(file, schema):
    """What Alembic would still change."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "version_table": HISTORIES[schema].table},
        )
        return compare_metadata(context, schema)


def test_what_it_recorded_is_read_and_what_is_recorded_today_stands_beside_it(ledger):
    with Ledger(ledger) as opened:
        (decision,) = opened.decisions(MODEL)
        assert (decision.version, decision.champion_version, decision.verdict) == (
            "2",
            "1",
            "promote",
        )
        assert opened.approval(MODEL, "2").person == "Ada"
        opened.record_approval(MODEL, "3", "Grace", "today")
        assert opened.approval(MODEL, "3").person == "Grace"
    with DeploymentLedger(ledger) as opened:
        assert [each.serving for each in opened.deployments(MODEL)] == ["2"]
    with PredictionLedger(ledger) as opened:
        since, until = (datetime(2026, month, 1, tzinfo=UTC) for month in (11, 12))
        ((prediction, outcome),) = opened.predictions_with_outcomes(since, until)
        assert (prediction.probability, outcome.churned) == (0.25, True)


@pytest.mark.parametrize("name", SCHEMA)
def test_it_is_migrated_to_the_tables_of_today(ledger, tmp_path, name):
    with Ledger(ledger) as opened:
        opened.decisions(MODEL)
    with PredictionLedger(ledger) as opened:
        assert opened.count() == 1
    fresh = tmp_path / "fresh" / "ledger.db"
    with PredictionLedger(f"sqlite:///{fresh}") as made:
        made.prepare()
    (month,) = fresh.parent.glob("ledger-*.db")

    assert differences(tmp_path / name, SCHEMA[name]) == []
    assert user_version(tmp_path / name) == HISTORIES[SCHEMA[name]].revision
    assert objects(tmp_path / name) == objects(fresh if name == "ledger.db" else month)


def test_rows_that_it_wrote_still_cannot_be_changed(ledger, tmp_path):
    with Ledger(ledger) as opened:
        opened.decisions(MODEL)

    with (
        closing(sqlite3.connect(tmp_path / "ledger.db")) as database,
        pytest.raises(sqlite3.IntegrityError, match="the ledger only grows"),
    ):
        database.execute("DELETE FROM approvals")


@pytest.mark.parametrize("schema", [PERMANENT, MONTHLY], ids=["ledger", "predictions"])
def test_every_revision_is_known_by_its_number(schema):
    from alembic.script import ScriptDirectory

    from churn.ledger import migrations

    history = HISTORIES[schema]
    folder = str(Path(migrations.__file__).parent / history.name)
    scripts = ScriptDirectory(folder, version_locations=[folder])

    assert scripts.get_heads() == [f"{history.revision:04}"]


def test_a_migration_that_breaks_off_leaves_it_as_it_was(ledger, tmp_path, monkeypatch):
    from churn.ledger.migrations import new_table

    def fail(*_arguments):
        new_table.op.execute("CREATE TABLE half (id INTEGER)")
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(new_table, "add_table", fail)
        with Ledger(ledger) as opened, pytest.raises(InputError, match="no space left"):
            opened.decisions(MODEL)

    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert not names & {"half", "production_changes", "ledger_revision"}
    with Ledger(ledger) as opened:
        assert opened.approval(MODEL, "2").person == "Ada"


def test_a_ledger_of_today_is_opened_without_alembic(root, tmp_path):
    import subprocess

    code = (
        "import sys\nfrom churn.ledger.predictions import PredictionLedger\n"
        f"with PredictionLedger('sqlite:///{tmp_path}/ledger.db') as ledger: ledger.prepare()\n"
        f"with PredictionLedger('sqlite:///{tmp_path}/ledger.db') as ledger: ledger.count()\n"
        "print('alembic' in sys.modules)"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "False"
