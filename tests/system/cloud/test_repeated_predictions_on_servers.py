"""Predictions that are written again, on a real PostgreSQL and a real MariaDB: kept once."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from churn.errors import InputError
from churn.ledger.months import add_months, month_of
from churn.ledger.predictions import Prediction, PredictionLedger

NOW = datetime.now(UTC).replace(microsecond=0)
IDENTITY = ["prediction_id", "role", "version"]


def prediction(number, **otherwise):
    made = Prediction(NOW, f"p-{number}", "C1", "7", "production", "stream", 0.5, True, "ab" * 16)
    return made._replace(**otherwise)


@pytest.fixture(params=["postgresql", "mariadb"])
def url(request):
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres").create(f"repeats-{abs(hash(request.node.name))}")
        return
    server = make_url(request.getfixturevalue("mariadb").url).set(drivername="mysql+pymysql")
    engine = create_engine(server.set(database="mysql"))
    for statement in ("DROP DATABASE IF EXISTS repeats", "CREATE DATABASE repeats"):
        with engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    yield server.set(database="repeats").render_as_string(hide_password=False)


def identities(ledger):
    return [
        (one.prediction_id, one.role, one.version, one.probability) for one in ledger.predictions()
    ]


def test_several_writers_of_the_same_predictions_keep_each_once(url):
    rows = [prediction(1), prediction(1, role="shadow"), prediction(1, version="8"), prediction(2)]
    together, problems = Barrier(3), []

    def write():
        try:
            with PredictionLedger(url) as ledger:
                together.wait()
                for _ in range(3):
                    ledger.record(rows)
        except InputError as error:
            problems.append(error)

    with PredictionLedger(url) as ledger:
        ledger.prepare()
    threads = [Thread(target=write) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert problems == []
    with PredictionLedger(url) as ledger:
        ledger.record([row._replace(probability=0.9) for row in rows])
        assert sorted(identities(ledger)) == sorted(
            (one.prediction_id, one.role, one.version, 0.5) for one in rows
        )


def make_as_before(url):
    """Puts the index of revision 2 in place of today's, and writes two rows again."""
    engine = create_engine(url)
    with engine.begin() as connection:
        found = inspect(connection)
        for table in found.get_table_names():
            for index in found.get_indexes(table):
                if index["column_names"] == IDENTITY:
                    on = f" ON {table}" if engine.dialect.name == "mysql" else ""
                    connection.execute(text(f"DROP INDEX {index['name']}{on}"))
        connection.execute(
            text("CREATE INDEX ix_predictions_prediction_id ON predictions (prediction_id)")
        )
        columns = ", ".join(Prediction._fields)
        again = columns.replace("probability", "0.9")
        connection.execute(
            text(f"INSERT INTO predictions ({columns}) SELECT {again} FROM predictions")
        )
        connection.execute(text("UPDATE predictions_revision SET version_num = '0002'"))
    engine.dispose()


def test_a_ledger_of_before_keeps_the_first_of_each(url):
    rows = [prediction(1), prediction(1, role="shadow"), prediction(2)]
    with PredictionLedger(url) as ledger:
        ledger.record(rows)
    make_as_before(url)

    with PredictionLedger(url) as ledger:
        assert ledger.count() == 3
        ledger.record([*rows, prediction(3)])
        ledger.rotate(datetime.now(UTC), 0)
        later = add_months(month_of(NOW), 2)
        ledger.rotate(datetime(later.year, later.month, 1, tzinfo=UTC), 0)
        ledger.record([*rows, prediction(4), prediction(4)])

        assert {found[3] for found in identities(ledger)} == {0.5}
        assert ledger.count() == 5
