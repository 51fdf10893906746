"""Months of a ledger on a real PostgreSQL: partitions that are made in time, removed whole, and lose nothing."""

import shutil
import subprocess
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from churn.errors import InputError
from churn.ledger.months import add_months, month_of
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger, TreatmentRecord

NOW = datetime.now(UTC)
THIS = month_of(NOW)
NEXT = add_months(THIS, 1)
MICROSECOND = timedelta(microseconds=1)
OLD_TABLES = """
CREATE TABLE predictions (id SERIAL PRIMARY KEY, predicted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    prediction_id VARCHAR(64) NOT NULL, customer VARCHAR(200), version VARCHAR(100) NOT NULL,
    role VARCHAR(20) NOT NULL, source VARCHAR(20) NOT NULL, probability FLOAT(53) NOT NULL,
    decision BOOLEAN NOT NULL, input_hash VARCHAR(32) NOT NULL);
CREATE INDEX ix_predictions_prediction_id ON predictions (prediction_id);
CREATE TABLE outcomes (id SERIAL PRIMARY KEY, recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, prediction_id VARCHAR(64), customer VARCHAR(200),
    churned BOOLEAN NOT NULL);
CREATE INDEX ix_outcomes_prediction_id ON outcomes (prediction_id);
CREATE INDEX ix_outcomes_customer ON outcomes (customer);
INSERT INTO predictions (predicted_at, prediction_id, customer, version, role, source, probability,
        decision, input_hash)
    VALUES ('2024-08-31 23:59:59.999999+00', 'old-1', 'C1', '5', 'production', 'api', 0.25, false, 'ab'),
        (now(), 'old-2', 'C2', '5', 'production', 'batch', 0.75, true, 'cd');
INSERT INTO outcomes (recorded_at, observed_at, prediction_id, customer, churned)
    VALUES ('2024-09-30 13:00:00+00', '2024-09-30 12:30:00+00', 'old-1', NULL, true);
"""


@pytest.fixture
def url(postgres, request):
    return postgres.create(f"months-{abs(hash(request.node.name))}")


@pytest.fixture
def ledger(url):
    with PredictionLedger(url) as opened:
        yield opened


@pytest.fixture
def run(url):
    """Runs SQL as the owner, and returns its first column."""
    engine = create_engine(url)

    def execute(sql):
        with engine.begin() as connection:
            result = connection.execute(text(sql))
            return list(result.scalars()) if result.returns_rows else []

    yield execute
    engine.dispose()


def prediction(name, at):
    return Prediction(at, name, "C1", "7", "production", "api", 0.5, True, "ab" * 16)


def start(month):
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def partition(month, table="predictions"):
    return f"{table}_{month:%Y_%m}"


def partitions(run, table="predictions"):
    return sorted(
        run(
            f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass"
        )
    )


def ids(run, table):
    return run(f"SELECT prediction_id FROM {table} ORDER BY id")


def test_this_month_and_the_next_are_made_in_time_and_the_boundary_is_exact(ledger, run):
    ledger.record([prediction("last", start(NEXT) - MICROSECOND), prediction("first", start(NEXT))])

    assert partitions(run) == [partition(THIS), partition(NEXT), "predictions_default"]
    for table in ("outcomes", "treatments"):
        months = [partition(month, table) for month in (THIS, NEXT)]
        assert partitions(run, table) == [*months, f"{table}_default"]
    assert ids(run, partition(THIS)) == ["last"]
    assert ids(run, partition(NEXT)) == ["first"]


def test_several_workers_that_start_and_rotate_at_once_make_each_month_once(url, run):
    together = threading.Barrier(6)
    problems = []

    def work(number):
        try:
            with PredictionLedger(url) as opened:
                together.wait()
                for place in range(4):
                    at = start(NEXT) + (MICROSECOND if (number + place) % 2 else -MICROSECOND)
                    opened.record([prediction(f"{number}-{place}", at)])
                    opened.rotate(start(add_months(NEXT, place)), 99)
        except InputError as error:
            problems.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert problems == []
    months = [add_months(THIS, place) for place in range(6)]
    assert partitions(run) == [*map(partition, months), "predictions_default"]
    assert len(ids(run, partition(THIS))) == len(ids(run, partition(NEXT))) == 12


@pytest.mark.parametrize(
    ("ahead", "keep", "first"), [(1, 2, 0), (2, 2, 1), (2, 3, 0), (5, 1, 5), (5, 0, 0)]
)
def test_months_past_retention_are_dropped_whole_and_no_other(ledger, run, ahead, keep, first):
    for place in range(4):
        ledger.rotate(start(add_months(THIS, place)), 0)
        ledger.record([prediction(f"p-{place}", start(add_months(THIS, place)))])
    run("CREATE TABLE predictions_2020_01 (id int)")  # somebody's, no partition

    removed = ledger.rotate(start(add_months(THIS, ahead)), keep)

    gone = [partition(add_months(THIS, place)) for place in range(first)]
    assert [name for name in removed if name.startswith("predictions")] == gone
    assert set(partitions(run)).isdisjoint(gone)
    assert partition(add_months(THIS, ahead)) in partitions(run)
    assert [one.prediction_id for one in ledger.predictions()] == [
        f"p-{place}" for place in range(first, 4)
    ]
    assert run("SELECT to_regclass('predictions_2020_01') IS NOT NULL") == [True]
    assert ledger.rotate(start(add_months(THIS, ahead)), keep) == []
    ledger.record([prediction("after", start(add_months(THIS, ahead)))])


def test_an_old_ledger_is_taken_over_with_its_rows_its_ids_and_its_grants(url, run):
    run(OLD_TABLES)
    run("CREATE USER taken_over PASSWORD 'only-adds'")
    run("GRANT SELECT, INSERT ON predictions TO taken_over")
    run("GRANT SELECT ON predictions TO PUBLIC")

    with PredictionLedger(url) as ledger:
        ledger.record([prediction("new", start(NEXT))])
        ledger.record_outcomes([Outcome(NOW, churned=True, prediction_id="old-2")])
        found = ledger.predictions_with_outcomes(datetime(2024, 1, 1, tzinfo=UTC), start(NEXT))
        joined = [(one.prediction_id, bool(outcome)) for one, outcome in found]
        names = [one.prediction_id for one in ledger.predictions()]
        ledger.rotate(NOW, 13)
        assert names == [
            one.prediction_id for one in ledger.predictions()
        ]  # the first month is kept
        ledger.rotate(start(NEXT), 1)
        left = [one.prediction_id for one in ledger.predictions()]
        ledger.record([prediction("after", start(NEXT))])

    assert joined == [("old-1", True), ("old-2", True)]
    assert names == ["old-1", "old-2", "new"]
    assert left == ["new"]
    assert run("SELECT id FROM predictions ORDER BY id") == [3, 4]
    assert run(
        "SELECT grantee || ' ' || privilege_type FROM information_schema.role_table_grants "
        "WHERE table_name = 'predictions' AND grantee <> 'churn' ORDER BY 1"
    ) == ["PUBLIC SELECT", "taken_over INSERT", "taken_over SELECT"]
    assert run("SELECT data_type FROM information_schema.columns WHERE table_name = 'predictions' "
               "AND column_name = 'id'") == ["bigint"]  # fmt: skip


def test_treatments_are_kept_by_the_month_they_were_recorded_in_and_go_with_it(ledger, run):
    records = [
        TreatmentRecord(NOW - timedelta(days=90), treated=True, customer="C1"),
        TreatmentRecord(NOW, treated=False, prediction_id="p-1"),
    ]

    ledger.record_treatments(records)

    assert ledger.treatments() == records
    assert run(f"SELECT count(*) FROM {partition(THIS, 'treatments')}") == [2]
    assert partition(THIS, "treatments") in ledger.rotate(start(NEXT), 1)
    assert ledger.treatments() == []
    ledger.record_treatments(records)  # of a month that is gone: kept until it is made again
    assert ledger.treatments() == records


def test_a_ledger_by_months_of_release_0_1_0_gets_model_and_treatments(url, run):
    with PredictionLedger(url) as ledger:
        ledger.record([prediction("old", NOW)])
    for change in (
        "DROP TABLE treatments",
        "DROP TABLE predictions_revision",
        "ALTER TABLE predictions DROP COLUMN model",
    ):
        run(change)
    treated = TreatmentRecord(NOW, treated=True, customer="C1")

    with PredictionLedger(url) as ledger:
        ledger.record([prediction("new", NOW)._replace(model="telco-churn")])
        ledger.record_treatments([treated])

        assert [one.model for one in ledger.predictions()] == [None, "telco-churn"]
        assert ledger.treatments() == [treated]
    months = [partition(month, "treatments") for month in (THIS, NEXT)]
    assert partitions(run, "treatments") == [*months, "treatments_default"]


def test_an_old_ledger_with_a_time_in_the_future_is_taken_over_too(url, run):
    run(OLD_TABLES)
    run("UPDATE predictions SET predicted_at = '2099-05-05' WHERE prediction_id = 'old-1'")

    with PredictionLedger(url) as ledger:
        ledger.record([prediction("new", NOW)])
        ledger.rotate(NOW, 13)
        assert ledger.count() == 3

    assert "predictions_2099_05" in partitions(run)


def test_an_account_that_may_only_add_goes_on_where_nobody_makes_the_months(url, run, postgres):
    run(OLD_TABLES)
    run("CREATE USER adder PASSWORD 'only-adds'")
    run("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO adder")
    run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO adder")
    adder = url.replace(f"churn:{postgres.password}", "adder:only-adds")
    later = start(add_months(NEXT, 1))
    with PredictionLedger(adder) as service:
        with pytest.raises(InputError, match=r"an earlier release.*the account that owns them"):
            service.record([prediction("before", NOW)])
        with PredictionLedger(url) as owner:
            owner.prepare()
        assert service.rotate(NOW, 1) == []
        service.record([prediction("now", NOW), prediction("later", later)])
        assert service.rotate(later, 1) == []

    assert ids(run, "predictions_default") == ["later"]
    with PredictionLedger(url) as owner:
        owner.rotate(later, 0)
        assert ids(run, "predictions_default") == []
        assert ids(run, partition(month_of(later))) == ["later"]
        owner.rotate(later, 1)
        assert [one.prediction_id for one in owner.predictions()] == ["later"]


def test_rows_of_no_month_that_are_past_retention_leave_the_default_partition(ledger, run):
    far = start(date(2090, 1, 1))
    ledger.record([prediction("far", far), prediction("now", NOW)])
    assert ids(run, "predictions_default") == ["far"]

    ledger.rotate(start(date(2090, 3, 1)), 1)

    assert ledger.predictions() == []


def test_a_reader_that_does_not_end_holds_up_no_writer_for_long(ledger, url, monkeypatch):
    monkeypatch.setattr("churn.ledger.partitions._LOCK_SECONDS", 1)
    ledger.record([prediction("p", NOW)])
    with PredictionLedger(url) as reader:
        reading = reader.predictions_with_outcomes(start(THIS), start(NEXT))
        next(reading)
        with pytest.raises(InputError, match="lock timeout"):
            ledger.rotate(start(NEXT), 1)
        ledger.record([prediction("q", NOW)])
        reading.close()

    assert partition(THIS) in ledger.rotate(start(NEXT), 1)


@pytest.fixture
def small_disk(postgres):
    """A folder of 24 MB that the server may write to."""
    folder = postgres.folder / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "churn-test", folder]
    if postgres.user is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    space = folder / "space"
    space.mkdir()
    shutil.chown(space, postgres.user)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_refuses_whole_batches_and_takes_them_when_there_is_space(
    postgres, small_disk, request
):
    url = postgres.create("full")
    owner = create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{small_disk / 'space'}'"))
        request.addfinalizer(owner.dispose)
        connection.execute(text('ALTER DATABASE "full" SET TABLESPACE small'))
        with PredictionLedger(url) as ledger:
            ledger.record([prediction("p", NOW)])
            (small_disk / "rest").write_bytes(bytes(shutil.disk_usage(small_disk).free))
            batches = [[prediction(f"{b}-{n}", NOW) for n in range(1000)] for b in range(3)]
            with pytest.raises(InputError, match="No space left on device"):  # noqa: PT012 - until it is full
                for batch in batches:
                    ledger.record(batch)
            kept = ledger.count()
            (small_disk / "rest").unlink()
            ledger.record(batches[2])

            assert kept % 1000 == 1
            assert ledger.count() == kept + 1000
        connection.execute(text('DROP DATABASE "full" WITH (FORCE)'))
        connection.execute(text("DROP TABLESPACE small"))
