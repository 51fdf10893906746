import math
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.promotion.decision import Gate, decide


def decision(verdict="pass", figure=0.004):
    gate = Gate(
        name="ranks no worse than the champion",
        figure=figure,
        threshold=-0.01,
        verdict=verdict,
        sentence="so it is.",
    )
    return decide([gate], challenger="blend 5", champion="blend 4", hashes={"gate_rows": "ab" * 32})


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"


@pytest.fixture
def ledger(url):
    with Ledger(url) as opened:
        yield opened


def test_a_decision_is_read_back_as_it_was_made(ledger, url):
    made = decision()
    recorded = ledger.record_decision("telco-churn", "5", made, champion_version="4")
    with Ledger(url) as another:
        (found,) = another.decisions("telco-churn")
    assert found == recorded
    assert found.decision == made
    assert (found.version, found.champion_version, found.verdict) == ("5", "4", "promote")
    assert abs(datetime.now(UTC) - found.recorded_at) < timedelta(minutes=1)


def test_decisions_come_newest_first_and_by_model(ledger):
    for version, verdict in (("1", "fail"), ("2", "pass"), ("1", "pass")):
        ledger.record_decision("telco-churn", version, decision(verdict))
    ledger.record_decision("other", "9", decision())
    found = ledger.decisions("telco-churn")
    assert [(each.version, each.verdict) for each in found] == [
        ("1", "promote"),
        ("2", "promote"),
        ("1", "reject"),
    ]
    assert ledger.decisions("nobody") == []


def test_a_gate_that_measured_nothing_is_kept_too(ledger):
    ledger.record_decision("m", "1", decision("insufficient evidence", figure=float("nan")))
    (found,) = ledger.decisions("m")
    assert math.isnan(found.decision.gates[0].figure)
    assert found.verdict == "hold"


def test_an_approval_counts_for_its_version_alone_and_the_latest_counts(ledger):
    assert ledger.approval("telco-churn", "5") is None
    ledger.record_approval("telco-churn", "5", "Ada", "seen the card")
    ledger.record_approval("telco-churn", "5", " Grace ", "after the meeting")
    ledger.record_approval("other", "5", "Eve", "")
    found = ledger.approval("telco-churn", "5")
    assert (found.person, found.note) == ("Grace", "after the meeting")
    assert found.recorded_at.tzinfo is not None
    assert ledger.approval("telco-churn", "6") is None


@pytest.mark.parametrize("change", ["UPDATE {} SET version = '6'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["decisions", "approvals"])
def test_what_was_recorded_cannot_be_changed(ledger, url, table, change):
    ledger.record_decision("m", "5", decision())
    ledger.record_approval("m", "5", "Ada", "")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            database.execute(change.format(table))
        kept = database.execute(f"SELECT version FROM {table}").fetchall()
    assert kept == [("5",)]


def test_opening_touches_nothing_and_first_use_makes_the_folder(tmp_path):
    place = tmp_path / "new" / "deep" / "ledger.db"
    with Ledger(f"sqlite:///{place}") as ledger:
        assert not place.parent.exists()
        assert ledger.decisions("m") == []
        assert place.exists()
    with sqlite3.connect(place) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_many_writers_at_once_lose_nothing(url):
    # given four ledgers that all come upon an empty database
    problems = []

    def write(number):
        try:
            with Ledger(url) as ledger:
                for version in range(10):
                    ledger.record_decision("m", f"{number}.{version}", decision())
        except InputError as error:
            problems.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert problems == []
    with Ledger(url) as ledger:
        assert len({each.version for each in ledger.decisions("m")}) == 40


@pytest.mark.parametrize(
    "names",
    [("", "1", "Ada"), ("m", " ", "Ada"), ("m", "1", "\t")],
)
def test_a_record_needs_names(ledger, names):
    with pytest.raises(InputError, match=r"empty (model|version|person)"):
        ledger.record_approval(*names, "note")


SECRET = "hunter2-s3cret"


def error_text(url):
    with pytest.raises(InputError) as refused, Ledger(url) as ledger:
        ledger.decisions("m")
    text = str(refused.value)
    assert SECRET not in text
    assert "\n" not in text
    assert refused.value.__cause__ is None
    return text


def test_a_server_that_is_not_there_is_named_without_its_password():
    text = error_text(f"mysql+pymysql://ada:{SECRET}@127.0.0.1:1/ledger")
    assert "mysql:127.0.0.1:1/ledger cannot be used" in text
    assert "ada" not in text


def test_a_driver_that_repeats_its_arguments_is_not_quoted_in_full(monkeypatch):
    import pymysql

    def refuse(*arguments, **options):
        raise pymysql.err.OperationalError(f"no access for {SECRET}, key {SECRET}-too\n{SECRET}")

    monkeypatch.setattr(pymysql, "connect", refuse)
    assert "no access for ***" in error_text(
        f"mysql+pymysql://ada:{SECRET}@db/x?ssl_key={SECRET}-too"
    )


def test_an_address_that_is_none_is_not_repeated():
    assert "not a database address" in error_text(f"postgres//ada:{SECRET}@host")
    assert "not a database address" in error_text(f"sqlite:///file:/x/{SECRET}.db?uri=true")


def test_a_driver_that_is_missing_is_named():
    text = error_text(f"oracle+cx_oracle://ada:{SECRET}@db.example:1521/ledger?token={SECRET}")
    assert "oracle:db.example:1521/ledger" in text
    assert "'oracle+cx_oracle'" in text
    assert "nonsense" in error_text(f"nonsense://ada:{SECRET}@host/db")


def test_a_place_that_cannot_be_written_to_is_reported_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    text = error_text(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")
    assert "cannot be used" in text
    (tmp_path / "not-a-database.db").write_bytes(b"plain text, nothing else. " * 100)
    assert "not a database" in error_text(f"sqlite:///{tmp_path / 'not-a-database.db'}")


def test_a_record_of_another_release_is_refused_not_guessed(ledger, url):
    ledger.record_decision("m", "1", decision())
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.execute(
            "INSERT INTO decisions (recorded_at, model, version, verdict, decision) "
            "VALUES ('2026-01-01 00:00:00', 'm', '2', 'promote', '{\"verdict\": \"promote\"}')"
        )
    with pytest.raises(InputError, match=r"holds a decision about 'm' that cannot be read"):
        ledger.decisions("m")
