"""A place that cannot be used is named in one sentence, and what was written before stays."""

import resource
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from redis import Redis

from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.online_store import OnlineStoreError
from churn.feature_store.online.stored_customer import CustomerUpdate

UPDATE = CustomerUpdate("C1", datetime(2026, 3, 2, tzinfo=UTC), {"tenure": 1})


@contextmanager
def refused(*said):
    """Expects one sentence or two on one line, without a password, with exit code 2."""
    with pytest.raises(OnlineStoreError) as caught:
        yield
    text = str(caught.value)
    assert all(each in text for each in said), text
    assert "\n" not in text
    assert "s3cret" not in text
    assert caught.value.exit_code == 2


def open_file(contract, file):
    return open_online_store(contract, f"sqlite:///{file}")


@pytest.mark.parametrize(
    "address",
    ["", "online.db", "sqlite:///", "sqlite://x", "postgresql://u:s3cret@h/d", "redis:/s3cret@h",
     "redis://:s3cret@h:port", "http://s3cret"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(contract, address):
    with pytest.raises(InputError, match="online store's address is none") as caught:
        open_online_store(contract, address)

    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there(contract, tmp_path):
    with refused("no online store at", "absent.db", "make features"):
        open_file(contract, tmp_path / "absent.db").read("C1")

    assert not (tmp_path / "absent.db").exists()


def test_a_folder_that_cannot_be_made(contract, tmp_path):
    (tmp_path / "file").touch()

    for file in (tmp_path / "file" / "online.db", "/proc/online.db", tmp_path):
        with refused("cannot be used", "name another file"):
            open_file(contract, file).write([UPDATE])


def test_a_file_that_is_none(contract, tmp_path):
    (tmp_path / "text.db").write_text("not a database, however long it is" * 100)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("CREATE TABLE predictions (id)")

    with refused("text.db cannot be used", "not a database"):
        open_file(contract, tmp_path / "text.db").read("C1")
    for call in ("read", "write"):
        with refused("is a database of something else"):
            store = open_file(contract, tmp_path / "ledger.db")
            store.read("C1") if call == "read" else store.write([UPDATE])


def test_a_file_of_a_newer_release(contract, tmp_path):
    with open_file(contract, tmp_path / "online.db") as store:
        store.write([UPDATE])
    with closing(sqlite3.connect(tmp_path / "online.db")) as file:
        file.execute("PRAGMA user_version = 2")

    with refused("was written by a newer release (version 2, this release knows 1)"):
        open_file(contract, tmp_path / "online.db").read("C1")


def test_a_damaged_customer(contract, tmp_path):
    with open_file(contract, tmp_path / "online.db") as store:
        store.write([UPDATE])
        with closing(sqlite3.connect(tmp_path / "online.db")) as file, file:
            file.execute("UPDATE customers SET fields = x'ff'")

        with refused("cannot be used"):
            store.read("C1")


def test_a_file_is_its_owners_alone(contract, tmp_path):
    with open_file(contract, tmp_path / "new" / "online.db") as store:
        store.write([UPDATE])
        modes = {each.stat().st_mode & 0o777 for each in (tmp_path / "new").iterdir()}

    assert modes == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_disk_that_is_full(contract, tmp_path):
    file = tmp_path / "online.db"
    many = [CustomerUpdate(f"C{n}", UPDATE.at, {"Contract": "x" * 1000}) for n in range(1000)]
    with open_file(contract, file) as store:
        store.write([UPDATE])
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        try:
            with refused("cannot be used", "has space"):
                store.write(many)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

        assert store.read("C1").row == {"tenure": 1}
        assert store.read("C5") is None
        assert store.write(many).fields_set == 1000


def test_a_redis_that_is_away_or_has_another_password(contract, running_redis):
    with refused("redis://127.0.0.1:9/0 cannot be used", "Connection refused"):
        open_online_store(contract, "redis://:s3cret@127.0.0.1:9/0").read("C1")
    wrong = running_redis.replace("for-tests", "s3cret")
    store = open_online_store(contract, wrong)
    for call in (lambda: store.read("C1"), lambda: store.write([UPDATE]), store.clear):
        with refused("cannot be used", "password"):
            call()


def test_a_redis_without_memory(contract, running_redis):
    store = open_online_store(contract, running_redis)
    store.clear()
    store.write([UPDATE])
    with Redis.from_url(running_redis) as redis:
        redis.config_set("maxmemory", "1")
        try:
            with refused("cannot be used", "has memory left"):
                store.write([CustomerUpdate("C2", UPDATE.at, {"tenure": 2})])
        finally:
            redis.config_set("maxmemory", "0")

    assert store.read("C1").row == {"tenure": 1}
    assert store.read("C2") is None
