"""The ledger on a real PostgreSQL server: all that it does on SQLite, and a server that comes and goes."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from churn.errors import InputError
from churn.ledger.changes import ChangeLedger, ProductionChange
from churn.ledger.ledger_tables import HISTORIES, MONTHLY, PERMANENT
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger, input_hash
from churn.ledger.records import Ledger
from churn.promotion.decision import Gate, decide
from churn.scoring.bundle import publish
from tests.servers.churn_api import serving

NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def url(postgres, request):
    """A database of the test's own."""
    return postgres.create(f"ledger-{abs(hash(request.node.name))}")


@pytest.fixture
def ledger(url):
    ledger = PredictionLedger(url)
    yield ledger
    ledger.close()


def prediction(number, **otherwise):
    return Prediction(
        predicted_at=NOON + timedelta(seconds=number),
        prediction_id=f"p-{number}",
        customer=None if number % 3 == 0 else f"C{number}",
        version="7",
        role="production",
        source="api",
        probability=1 / (number + 1),
        decision=number % 2 == 0,
        input_hash=input_hash([float(number), 0.5]),
    )._replace(**otherwise)


def decision(verdict="pass", figure=0.004):
    gate = Gate(
        name="ranks no worse than the champion", figure=figure, threshold=-0.01, verdict=verdict,
        sentence="so it is.",
    )  # fmt: skip
    return decide([gate], challenger="blend 5", champion="blend 4", hashes={"gate_rows": "ab" * 32})


def test_decisions_and_approvals_are_read_back_as_they_were_made(url):
    with Ledger(url) as ledger:
        first = ledger.record_decision("telco-churn", "5", decision(), champion_version="4")
        ledger.record_decision("other", "9", decision())
        nothing = decision("insufficient evidence", figure=float("nan"))
        ledger.record_decision("telco-churn", "6", nothing)
        ledger.record_approval("telco-churn", "5", "Ada", "seen the card")
        ledger.record_approval("telco-churn", "5", "Grace", "après la réunion ✓")
    with Ledger(url) as another:
        newest, oldest = another.decisions("telco-churn")
        approval = another.approval("telco-churn", "5")
        assert another.approval("telco-churn", "6") is None

    assert (newest.version, newest.verdict) == ("6", "hold")
    assert oldest == first
    assert (approval.person, approval.note) == ("Grace", "après la réunion ✓")
    assert approval.recorded_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("count", [0, 1, 101, 1357])
def test_predictions_are_read_back_as_written_and_in_order(ledger, count):
    written = [prediction(number) for number in range(count)]

    ledger.record(written)

    assert ledger.predictions() == written
    assert ledger.predictions(after=10, limit=3) == written[10:13]
    assert ledger.count() == count


def test_outcomes_and_times_of_other_zones_keep_their_moment(ledger):
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

    ledger.record([prediction(0, predicted_at=elsewhere)])
    ledger.record_outcomes([Outcome(elsewhere, churned=True, customer="a")])

    assert ledger.predictions()[0].predicted_at == NOON
    assert ledger.outcomes() == [Outcome(elsewhere, churned=True, customer="a")]


def test_of_a_batch_all_is_kept_or_nothing(ledger):
    ledger.record([prediction(0)])

    with pytest.raises(InputError, match="cannot be used"):
        ledger.record([*(prediction(n) for n in range(150)), prediction(1, version=None)])

    assert ledger.count() == 1


def test_writers_at_once_come_upon_an_empty_database_and_lose_nothing(url):
    problems = []
    together = threading.Barrier(5)

    def write(number):
        opened = PredictionLedger(url)
        try:
            together.wait()
            for batch in range(10):
                opened.record([prediction(1000 * number + 20 * batch + n) for n in range(20)])
        except InputError as error:
            problems.append(error)
        finally:
            opened.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert problems == []
    opened = PredictionLedger(url)
    assert len({p.prediction_id for p in opened.predictions()}) == opened.count() == 1000
    opened.close()


def test_an_account_that_may_only_add_rows_cannot_change_them(ledger, url, postgres):
    ledger.record([prediction(0)])
    owner = create_engine(url)
    with owner.begin() as connection:
        connection.execute(text("CREATE USER service PASSWORD 'only-adds'"))
        for grant in ("SELECT, INSERT ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
            connection.execute(text(f"GRANT {grant} IN SCHEMA public TO service"))
    owner.dispose()
    adder = url.replace(f"churn:{postgres.password}", "service:only-adds")

    service = PredictionLedger(adder)
    service.record([prediction(1)])
    service.record_outcomes([Outcome(NOON, churned=True, prediction_id="p-1")])
    assert service.count() == 2
    service.close()
    engine = create_engine(adder)
    for change in ("UPDATE predictions SET customer = 'x'", "DELETE FROM predictions"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            engine.begin() as connection,
        ):
            connection.execute(text(change))
    engine.dispose()


def test_a_wrong_password_is_reported_without_it(url, postgres):
    ledger = PredictionLedger(url.replace(postgres.password, "hunter2-s3cret"))

    with pytest.raises(InputError, match=r"postgresql:127\.0\.0\.1:\d+/ledger.* cannot be used: .*password") as written:  # fmt: skip
        ledger.count()

    assert "hunter2-s3cret" not in str(written.value)


@pytest.mark.parametrize("odd", ["Zoë 顧客 \U0001f600", "'; DROP TABLE predictions; --", "a\\b\tc"])
def test_a_customer_of_any_name_is_kept_as_it_is_written(ledger, odd):
    ledger.record([prediction(1, customer=odd)])

    assert ledger.predictions()[0].customer == odd


@pytest.mark.parametrize(("odd", "why"), [("a\0b", "NUL"), ("x" * 201, "too long")])
def test_what_the_server_cannot_keep_is_refused_in_a_sentence(ledger, odd, why):
    with pytest.raises(InputError, match=rf"cannot be used: .*{why}") as refused:
        ledger.record([prediction(1, customer=odd)])

    assert odd not in str(refused.value)
    ledger.record([prediction(2)])
    assert [p.prediction_id for p in ledger.predictions()] == ["p-2"]


def test_a_ledger_goes_on_when_its_server_was_restarted(ledger, postgres):
    ledger.record([prediction(0)])

    postgres.stop()
    with pytest.raises(InputError, match="cannot be used"):
        ledger.record([prediction(1)])
    postgres.start()
    ledger.record([prediction(2)])

    assert [p.prediction_id for p in ledger.predictions()] == ["p-0", "p-2"]


def test_a_service_answers_through_a_restart_and_its_ledger_has_every_answer_once(
    url, postgres, store, write, keys, models, contract, tmp_path
):
    from churn.scoring.bundle.golden_rows import golden_rows

    customer = golden_rows(models["1"][1], contract)[5]
    write("1")
    publish(store, "1")
    answered = []

    def ask(count):
        for _ in range(count):
            answer = client.post("/v1/score", json=customer)
            assert answer.status_code == 200, answer.text
            answered.append(answer.json()["prediction_id"])

    with (
        serving(store, tmp_path, ledger=url, ledger_flush_seconds=0.05) as service,
        service.client() as client,
    ):
        ask(50)
        postgres.stop()
        ask(50)
        service.wait_for("ledger_failed", 1)
        postgres.start()
        ask(50)
        opened = PredictionLedger(url)
        until = time.monotonic() + 60
        while opened.count() < len(answered):
            assert time.monotonic() < until, opened.count()
            time.sleep(0.1)
        assert service.stop() == 0
    kept = [p.prediction_id for p in opened.predictions()]
    opened.close()

    assert sorted(kept) == sorted(answered)
    assert not service.logged("ledger_lost")


def test_one_command_at_a_time_changes_production_and_the_newest_row_counts(url):
    change = ProductionChange(
        model="telco-churn", version="2", version_before="1", stage_before="staging",
        command="promotion", reason="every gate passed",
    )  # fmt: skip
    with ChangeLedger(url) as ledger, ChangeLedger(url, lock_seconds=0.2) as another:
        busy = pytest.raises(InputError, match="lock timeout")
        with ledger.changing():
            ledger.record_change(change)
            with busy, another.changing():
                pytest.fail("two at a time")
            ledger.record_change(change.closed("done"))
        with another.changing():
            newest = another.last_change("telco-churn")

        assert (newest.status, newest.in_production) == ("done", "2")
        assert newest.recorded_at.tzinfo is not None


def revisions(url):
    with create_engine(url).connect() as connection:
        names = ("ledger_revision", "predictions_revision")
        return [
            connection.execute(text(f"SELECT version_num FROM {name}")).scalar() for name in names
        ]


def test_the_ledger_of_release_0_1_0_is_migrated_and_a_newer_one_refused(url):
    with Ledger(url) as ledger:
        ledger.record_approval("telco-churn", "5", "Ada", "seen the card")
    with PredictionLedger(url) as ledger:
        ledger.record([prediction(1)])
    today = [f"{HISTORIES[each].revision:04}" for each in (PERMANENT, MONTHLY)]
    assert revisions(url) == today
    with create_engine(url).begin() as connection:  # as that release leaves it
        for name in ("production_changes", "ledger_revision", "predictions_revision"):
            connection.execute(text(f"DROP TABLE {name}"))

    with Ledger(url) as ledger:
        assert ledger.changes("telco-churn") == []
        assert ledger.approval("telco-churn", "5").person == "Ada"
    with PredictionLedger(url) as ledger:
        assert ledger.count() == 1

    with create_engine(url).begin() as connection:
        found = connection.execute(text("SELECT version_num FROM ledger_revision")).scalar()
        assert found == today[0]
        connection.execute(text("UPDATE ledger_revision SET version_num = '0077'"))
    with Ledger(url) as ledger, pytest.raises(InputError, match="newer release \\(version 77"):
        ledger.changes("telco-churn")
