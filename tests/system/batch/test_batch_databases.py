"""Batches out of real databases and into them: PostgreSQL and MariaDB."""

from __future__ import annotations

import pytest
from pyarrow import csv
from sqlalchemy import text

from churn.batch.output_folder import output_folder
from churn.batch.run_batch import BatchRequest, run_batch
from churn.batch.table_output import TableOutput
from churn.data.sources import open_sink, open_source
from churn.errors import ChurnError, InputError
from churn.ledger.predictions import PredictionLedger
from churn.scoring.bundle import publish
from tests.churn.data.sources.sql_databases import database as started
from tests.servers.published import store

__all__ = ["store"]

ROWS, PART = 1000, 300


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request, tmp_path_factory):
    with started(request.param, tmp_path_factory.mktemp("database")) as made:
        yield made


@pytest.fixture
def database(server, root, monkeypatch):
    """A database with the first shipped customers in `customers`, and no `scores`."""
    monkeypatch.setenv(server.variable, server.password)
    drop(server)
    customers = csv.read_csv(root / "data" / "raw" / "telco.csv").slice(0, ROWS)
    open_sink(f"{server.address}?table=customers").write([customers])
    yield server
    drop(server)


def drop(server):
    with server.engine.begin() as connection:
        for table in ("customers", "scores"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))


@pytest.fixture
def select(database):
    def rows(query):
        with database.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    return rows


@pytest.fixture
def score(database, store, tmp_path):
    """Scores the table `customers` into `scores`, both of the database."""

    def run(*, table="customers", append=False, on_rows=lambda _done: None, ledger=None):
        return run_batch(
            BatchRequest(
                store, "churn", rows_a_part=PART, in_ledger=ledger is not None, replaces=True
            ),
            output_folder(tmp_path / "records"),
            lambda contract: open_source(
                f"{database.address}?table={table}",
                contract,
                optional=(*contract.unscored, contract.id.name),
            ),
            deliver=TableOutput(f"{database.address}?table=scores", append=append),
            on_rows=on_rows,
            ledger=ledger,
        )

    return run


def test_the_next_job_replaces_a_customers_row(score, select, store):
    assert score().manifest.accepted == ROWS
    publish(store, "2")
    score()

    assert select("SELECT count(*), count(DISTINCT customer_id) FROM scores") == [(ROWS, ROWS)]
    assert select("SELECT DISTINCT model_version FROM scores") == [("2",)]


def test_jobs_stand_beside_each_other_where_that_is_asked(score, select, store):
    score(append=True)
    publish(store, "2")
    score(append=True)

    counted = "SELECT model_version, count(*) FROM scores GROUP BY model_version ORDER BY 1"
    assert select(counted) == [("1", ROWS), ("2", ROWS)]


@pytest.mark.parametrize("append", [False, True])
def test_a_job_that_is_killed_between_parts_is_in_the_table_once(score, select, tmp_path, append):
    def kill(done):
        if done > PART:
            raise Killed

    with PredictionLedger(f"sqlite:///{tmp_path}/ledger/ledger.db") as ledger:
        with pytest.raises(Killed):
            score(append=append, on_rows=kill, ledger=ledger)
        result = score(append=append, ledger=ledger)
        assert len(ledger.predictions()) == ROWS

    assert result.manifest.parts_found > 0
    assert select("SELECT count(*), count(DISTINCT customer_id) FROM scores") == [(ROWS, ROWS)]


def test_a_job_that_is_killed_behind_its_delivery_is_in_the_table_once(
    score, select, tmp_path, monkeypatch
):
    def kill(*_, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("churn.batch.parts_of_job.PartsOfJob._manifest", kill)
        with pytest.raises(Killed):
            score(append=True)
    assert select("SELECT count(*) FROM scores") == [(ROWS,)]

    score(append=True)

    assert select("SELECT count(*) FROM scores") == [(ROWS,)]
    assert select("SELECT count(DISTINCT job) FROM scores") == [(1,)]


def test_rows_that_change_between_the_runs_make_another_job(score, select, database):
    with pytest.raises(Killed):
        score(on_rows=lambda _done: (_ for _ in ()).throw(Killed()))
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE customers SET tenure = 72 WHERE tenure = 1"))

    assert score().manifest.parts_found == 0
    assert select("SELECT count(*) FROM scores") == [(ROWS,)]


def test_a_connection_that_is_lost_costs_no_part(score, select, database):
    """What the server ends, the next run goes on from."""

    def end_others(done):
        if done != PART:
            return
        with database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND usename = 'churn'"
                    )
                )
                return
            own = connection.execute(text("SELECT CONNECTION_ID()")).scalar()
            for each in connection.execute(text("SHOW PROCESSLIST")).all():
                if each[0] != own and each[1] == "zenml":
                    connection.execute(text(f"KILL {int(each[0])}"))

    with pytest.raises(ChurnError, match="goes on where it stopped") as error:
        score(on_rows=end_others)

    assert error.value.exit_code == 1
    assert score().manifest.parts_found > 0
    assert select("SELECT count(*) FROM scores") == [(ROWS,)]


def test_a_password_that_is_wrong_is_not_shown(score, database, monkeypatch, tmp_path):
    monkeypatch.setenv(database.variable, "not-the-password")

    with pytest.raises(InputError, match="cannot be read") as error:
        score()

    assert "not-the-password" not in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "records").exists()


def test_a_password_of_the_output_that_is_wrong_is_said_before_any_score(database, monkeypatch):
    monkeypatch.setenv(database.variable, "not-the-password")
    table = TableOutput(f"{database.address}?table=scores", append=False)

    with pytest.raises(InputError, match="cannot be written to") as error:
        table.require_fit(explained=False, has_ids=True)

    assert "not-the-password" not in str(error.value)


def test_a_table_of_other_columns_is_refused_before_any_score(database):
    with pytest.raises(InputError, match="has no column"):
        TableOutput(f"{database.address}?table=customers", append=False).require_fit(
            explained=False, has_ids=True
        )
    TableOutput(f"{database.address}?table=scores", append=False).require_fit(
        explained=False, has_ids=True
    )


def test_a_table_that_is_not_there_leaves_nothing(score, tmp_path, select):
    with pytest.raises(InputError, match="nowhere"):
        score(table="nowhere")

    assert not (tmp_path / "records").exists()


def test_a_table_that_cannot_take_the_scores_keeps_its_rows(score, database, select):
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE scores (customer_id VARCHAR(20) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO scores VALUES ('mine')"))

    with pytest.raises(InputError, match="has no column"):
        score()

    assert select("SELECT * FROM scores") == [("mine",)]
