"""Tables and queries of real databases: the same rows, in one snapshot, and no secret in a sentence."""

from __future__ import annotations

import hashlib
import threading

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from churn.data import acquire, parse, read_raw
from churn.data.sources import open_source, sql_source, whole_table
from churn.data.sources.sql_address import sql_address
from churn.data.sources.sql_source import SqlSource
from churn.errors import InputError
from tests.churn.data.sources.sql_databases import KINDS
from tests.churn.data.sources.sql_databases import database as empty_database

ON_A_SERVER = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture(scope="module")
def customers(text):
    """The customers as a program stores them: numbers as numbers, a blank as NULL."""
    from io import StringIO

    table = pd.read_csv(StringIO(text), keep_default_na=False)
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    # A table has no order: what comes back must not depend on how it was filled.
    return table.sample(frac=1, random_state=7)


@pytest.fixture(scope="module", params=KINDS)
def database(request, customers, tmp_path_factory):
    """One database of each kind, with the customers in it."""
    with empty_database(request.param, tmp_path_factory.mktemp("database")) as made:
        if made.engine is None:
            with duckdb.connect(made.address.removeprefix("duckdb:///")) as connection:
                connection.register("frame", customers)
                connection.execute("CREATE TABLE customers AS SELECT * FROM frame")
        else:
            customers.to_sql("customers", made.engine, index=False)
        yield made


@pytest.fixture
def address(database, monkeypatch):
    """Its address, with the password in the environment."""
    monkeypatch.setenv(database.variable, database.password)
    return database.address


def refusal(address: str, contract=None) -> str:
    with pytest.raises(InputError) as caught:
        list(open_source(address, contract).chunks())
    return str(caught.value)


def test_a_table_trains_like_the_file_it_was_filled_from(
    address, csv_file, contract, root, tmp_path
):
    plain = acquire(str(csv_file), contract, root=root, cache=tmp_path)

    dataset = acquire(f"{address}?table=customers", contract, root=root, cache=tmp_path)

    assert dataset.frame.equals(plain.frame)
    assert dataset.source.format == "sql"
    assert "@" not in dataset.source.location
    assert dataset.source.location.endswith("?table=customers")


def test_rows_come_from_the_driver_a_chunk_at_a_time(address):
    source = SqlSource(sql_address(f"{address}?table=customers"))

    sizes = [batch.num_rows for batch in source.batches(25) if batch.num_rows]

    # DuckDB cuts its own batches.
    assert sizes == [25, 25, 10] or address.startswith("duckdb")
    assert max(sizes) <= 60


def test_chunks_of_any_size_have_one_digest(address, text, contract):
    expected = parse(read_raw(text.encode(), "mine.csv")[0], contract)
    digests = set()
    for rows in (1, 7, 59, 60, 61, 1000):
        source = open_source(f"{address}?table=customers", contract)
        chunks = list(source.chunks(rows))
        assert [chunk.table.num_rows for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
        assert parse(whole_table(source), contract).equals(expected)
        digests.add(source.digest())

    assert len(digests) == 1


def test_a_query_file_is_read(address, tmp_path):
    query = tmp_path / "women.sql"
    quoted = "`" if address.startswith("mysql") else '"'
    query.write_text(
        f"-- who pays ; monthly\nSELECT {quoted}customerID{quoted}, gender FROM customers\n"
        f"WHERE gender LIKE 'Fem%' /* all of them */ ORDER BY {quoted}customerID{quoted};\n"
    )
    source = open_source(f"{address}?query={query}")

    table = whole_table(source)

    assert set(table["gender"].to_pylist()) == {"Female"}
    assert table["customerID"].to_pylist() == sorted(table["customerID"].to_pylist())
    query.write_text(query.read_text().replace("Fem%", "Fema%"))
    assert open_source(f"{address}?query={query}").digest() != source.digest()


def test_a_table_that_is_not_there_is_named(address):
    sentence = refusal(f"{address}?table=nobody")

    assert "?table=nobody cannot be read" in sentence
    assert "nobody" in sentence.partition("cannot be read")[2]


@ON_A_SERVER
def test_a_wrong_password_is_said_and_not_shown(database, monkeypatch):
    monkeypatch.setenv(database.variable, "not-the-password")

    sentence = refusal(f"{database.address}?table=customers")

    assert "cannot be read" in sentence
    assert "credentials in the environment" in sentence
    assert "not-the-password" not in sentence


@ON_A_SERVER
def test_a_placeholder_stands_for_a_variable(database, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", database.password)
    address = database.address.replace("@", ":${env:SHOP_PASSWORD}@") + "?table=customers"

    source = open_source(address)

    assert sum(chunk.table.num_rows for chunk in source.chunks()) == 60
    assert database.password not in source.shown
    monkeypatch.delenv("SHOP_PASSWORD")
    assert "asks for the variable SHOP_PASSWORD, which the environment lacks" in refusal(address)


@pytest.mark.parametrize("database", ["postgresql", "mariadb", "sqlite"], indirect=True)
def test_rows_that_change_between_two_reads_are_refused(database, address):
    source = open_source(f"{address}?table=customers")
    source.digest()
    change = "UPDATE customers SET gender = '{}' WHERE tenure = 72"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(change.format("Unknown"))
    try:
        with pytest.raises(InputError, match="has other rows than when it was read before"):
            list(source.chunks())
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(change.format("Male"))


@ON_A_SERVER
def test_one_read_sees_one_state(database, address):
    chunks = open_source(f"{address}?table=customers&order_by=tenure").chunks(1)
    next(chunks)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM customers")
        connection.exec_driver_sql("DELETE FROM customers WHERE tenure > 1")
    try:
        assert len(list(chunks)) == 59
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM customers")
            connection.exec_driver_sql("INSERT INTO customers SELECT * FROM kept")
            connection.exec_driver_sql("DROP TABLE kept")


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("UPDATE customers SET gender = 'x'", "begins with 'update', so it is no query"),
        ("SELECT 1; DROP TABLE customers", "has several statements"),
        ("SELECT * INTO other FROM customers", "has an INTO, so it writes"),
        ("  -- nothing\n", "is empty"),
        ("tenure", "begins with 'tenure', so it is no query"),
    ],
)
def test_a_query_that_is_none_is_refused(tmp_path, query, fault):
    path = tmp_path / "query.sql"
    path.write_text(query)

    assert refusal(f"sqlite:///shop.db?query={path}") == (
        f"The query file {path} {fault}. Write one SELECT into it."
    )


def test_a_semicolon_in_a_text_is_none(tmp_path):
    path = tmp_path / "query.sql"
    path.write_text("SELECT 'a;b' AS \"into\", 'it''s; fine' AS b;;")
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    engine.connect().close()

    rows = whole_table(open_source(f"sqlite:///{tmp_path}/empty.db?query={path}")).to_pylist()

    assert rows == [{"into": "a;b", "b": "it's; fine"}]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("postgresql://me@host/shop", "postgresql://host/shop names no table"),
        ("postgresql://me@host/shop?table=a&query=b", "names both a table and a query"),
        ("postgresql://me@host:port/shop?table=a", "postgresql://… is no database address"),
        ("mysql://me:secret@host/shop?table=a", "has a password in it, .* set MYSQL_PWD"),
        ("postgresql://host/shop?user=a&password=b&table=c", "has a password in it"),
        ("postgresql://me@127.0.0.1:1/shop?table=a", "127.0.0.1:1/.* cannot be read: .*efused"),
        ("oracle://me@host/shop?table=a", "needs the driver oracle, which is not installed"),
        ("sqlite:///nowhere/shop.db?table=a", "unable to open database file"),
        ("duckdb:///nowhere/shop.db?table=a", "cannot be read: .*database does not exist"),
        (
            "sqlite:///shop.db?query=nowhere.sql",
            r"nowhere\.sql of sqlite:.* cannot be read: No such file or directory\. Name",
        ),
        ("postgresql://${env:NO_SUCH}@host/shop?table=a", "asks for the variable NO_SUCH"),
    ],
)
def test_what_is_wrong_with_an_address_is_one_sentence(address, sentence):
    import re

    said = refusal(address)

    assert re.search(sentence, said), said
    assert "secret" not in said
    assert "\n" not in said


def test_reading_makes_no_database(tmp_path):
    refusal(f"sqlite:///{tmp_path}/new.db?table=a")
    refusal(f"duckdb:///{tmp_path}/new.duckdb?table=a")

    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text(
            st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)),
        min_size=1, max_size=30,
    ),
    st.integers(1, 31),
)  # fmt: skip
def test_a_column_without_a_type_is_one_whatever_the_chunks(tmp_path_factory, values, rows):
    path = tmp_path_factory.mktemp("loose") / "loose.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE loose (place INTEGER, value)")
        connection.exec_driver_sql("INSERT INTO loose VALUES (?, ?)", list(enumerate(values)))
    engine.dispose()
    source = open_source(f"sqlite:///{path}?table=loose&order_by=place")

    found = [text for chunk in source.chunks(rows) for text in chunk.table["value"].to_pylist()]

    assert found == [None if value is None else str(value) for value in values]


def test_a_digest_names_query_and_rows_but_no_secret(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE a (b TEXT)")
        connection.exec_driver_sql("INSERT INTO a VALUES ('x'), (NULL), ('')")
    address = f"sqlite:///{tmp_path}/a.db?table=a"
    lengths, texts = np.array([1, -1, 0], "<i4").tobytes(), b"x"

    expected = f"{address}\n\nb\nstring\n".encode()
    expected += hashlib.sha256(lengths).digest() + hashlib.sha256(texts).digest()
    assert open_source(address).digest() == hashlib.sha256(expected).hexdigest()


def test_bytes_are_no_texts(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE a (place INTEGER, b)")
        connection.exec_driver_sql("INSERT INTO a VALUES (1, 'x'), (2, X'41')")

    assert "Column 'b' holds something other than texts" in refusal(
        f"sqlite:///{tmp_path}/a.db?table=a"
    )


@pytest.fixture
def odd_rows(database):
    """A table `odd` with values of many types at their edges."""
    texts = ["", None, "NULL", "\\N", "\\.", 'a "b"', "c,d", "e\nf\r\ng", " é ", "x" * 100_000]
    moments = [None, "2020-02-29", "0001-01-01", "9999-12-31", "infinity", "-infinity"]
    numbers = [None, "0.1", "-0", "1e-300", "123456.789", "Infinity", "-Infinity", "NaN"]
    wholes = [None, 0, -(2**63), 2**63 - 1]
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE odd (place int, yes boolean, big bigint, small smallint, real real, "
            "number float8, exact numeric, day date, moment timestamp, said text, short varchar(9), "
            "wide char(4))"
        )
        for place in range(40):
            day = moments[place % len(moments)]
            moment = (
                day
                if day is None or "inf" in day
                else f"{day} 23:59:59.{'120345'[: place % 6 + 1]}"
            )
            number, text = numbers[place % len(numbers)], texts[place % len(texts)]
            connection.exec_driver_sql(
                "INSERT INTO odd VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (place, [None, True, False][place % 3], wholes[place % 4], place,
                 None if number == "1e-300" else number, number,
                 "12345678901234567890.10" if place % 2 else None, day, moment, text,
                 text and text[:9], text and text[:4]),
            )  # fmt: skip
    yield
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE odd")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("rows", [1, 7, 40, 1000])
def test_copy_reads_what_the_driver_reads(database, address, odd_rows, rows, monkeypatch):
    source = SqlSource(sql_address(f"{address}?table=odd&order_by=place"))
    copied = pa.Table.from_batches(source.batches(rows))

    monkeypatch.setattr(sql_source, "can_copy", lambda _: False)
    fetched = pa.Table.from_batches(source.batches(rows))

    assert copied.num_rows == 40
    assert copied.schema == fetched.schema
    # Compared as text, for NaN is not itself.
    assert str(copied.to_pylist()) == str(fetched.to_pylist())


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_column_of_nulls_and_empty_texts_has_all_its_rows(database, address, tmp_path):
    query = tmp_path / "query.sql"
    query.write_text("SELECT nullif(x, 'a') AS x FROM (VALUES ('a'), (''), ('b'), ('a')) AS v (x)")

    assert whole_table(open_source(f"{address}?query={query}"))["x"].to_pylist() == [
        None,
        "",
        "b",
        None,
    ]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", ["timestamptz", "time", "uuid", "interval"])
def test_a_type_that_copy_writes_otherwise_is_read_by_the_driver(database, address, tmp_path, kind):
    query = tmp_path / "query.sql"
    query.write_text(f"SELECT NULL::{kind} AS x, 100 % 7 AS rest")

    assert whole_table(open_source(f"{address}?query={query}")).to_pylist() == [
        {"x": None, "rest": "2"}
    ]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_query_that_fails_in_the_middle_is_said(database, address, tmp_path):
    query = tmp_path / "query.sql"
    query.write_text("SELECT 1 / (5000 - x) AS y FROM generate_series(1, 10000) AS x")
    chunks = open_source(f"{address}?query={query}").chunks(1000)

    assert next(chunks).table.num_rows == 1000
    with pytest.raises(InputError, match="cannot be read: division by zero"):
        list(chunks)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_reader_that_leaves_ends_the_query_and_its_thread(database, address, tmp_path):
    query = tmp_path / "query.sql"
    query.write_text("SELECT generate_series(1, 2000000000) AS x")
    chunks = open_source(f"{address}?query={query}").chunks(10)
    before = threading.active_count()
    next(chunks)
    assert threading.active_count() == before + 1

    chunks.close()

    assert threading.active_count() == before
