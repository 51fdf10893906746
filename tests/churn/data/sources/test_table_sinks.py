"""Sinks: what is written is read back the same, and a failure leaves what was there."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv

from churn.data import parse
from churn.data.sources import open_sink, open_source, whole_table
from churn.data.sources.__main__ import main
from churn.errors import InputError
from tests.churn.data.sources.sql_databases import KINDS
from tests.churn.data.sources.sql_databases import database as empty_database
from tests.servers import cloud_servers


@pytest.fixture
def table(csv_file):
    """The customers as a program holds them."""
    return arrow_csv.read_csv(csv_file)


@pytest.fixture
def expected(csv_file, contract):
    """The customers, typed."""
    return parse(whole_table(open_source(str(csv_file))), contract)


@pytest.fixture(scope="module", params=KINDS)
def database(request, tmp_path_factory):
    """An empty database of each kind."""
    with empty_database(request.param, tmp_path_factory.mktemp("database")) as made:
        yield made


@pytest.fixture
def address(database, monkeypatch, request):
    """A table of its own for each test."""
    monkeypatch.setenv(database.variable, database.password)
    name = request.node.name.partition("[")[0].removeprefix("test_")[:40]
    return f"{database.address}?table={name}"


def failing(table):
    """Two parts, and then an error."""
    yield table[:20]
    yield table[20:40]
    raise InputError("the source broke")


def refusal(address: str, table, **options) -> str:
    with pytest.raises(InputError) as caught:
        open_sink(address, **options).write([table])
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["customers.parquet", "customers.csv", "customers.csv.gz", "parts/"]
)
def test_a_file_is_read_back_as_it_was_written(table, expected, contract, tmp_path, name):
    address = f"{tmp_path}/{name}"

    rows = open_sink(address).write([table[:25], table[25:]])

    assert rows == 60
    assert parse(whole_table(open_source(address, contract)), contract).equals(expected)


def test_a_folder_gets_one_part_more_with_every_writing(table, expected, contract, tmp_path):
    for part in (table[:7], table[7:40], table[40:]):
        open_sink(f"{tmp_path}/parts/").write([part])

    assert parse(whole_table(open_source(f"{tmp_path}/parts", contract)), contract).equals(expected)
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        f"part-0000{number}.parquet" for number in range(3)
    ]


def test_a_part_more_comes_behind_those_that_spark_wrote(table, tmp_path):
    folder = tmp_path / "parts"
    for number in (0, 1):
        open_sink(f"{folder}/").write([table[:7]])
        part = folder / f"part-0000{number}.parquet"
        part.rename(folder / f"part-0000{number}-5e1f9a.c000.snappy.parquet")

    open_sink(f"{folder}/").write([table[7:9]])

    assert max(path.name for path in folder.iterdir()) == "part-00002.parquet"


@pytest.mark.parametrize("target", ["out.csv", "out.parquet", "sqlite:///{}/out.db?table=a"])
def test_a_table_of_a_header_alone_is_copied_nowhere(tmp_path, capsys, target):
    source = tmp_path / "header.csv"
    source.write_text("customerID,tenure\n")
    target = target.format(tmp_path) if "{}" in target else str(tmp_path / target)

    assert main([str(source), target]) == 2

    assert f"{source} has no rows, so nothing was written." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["header.csv"]


@pytest.mark.parametrize("name", ["customers.parquet", "customers.csv", "customers.csv.gz"])
def test_a_failure_leaves_the_file_that_was_there(table, tmp_path, name):
    path = tmp_path / name
    open_sink(str(path)).write([table[:3]])
    before = path.read_bytes()

    with pytest.raises(InputError, match="the source broke"):
        open_sink(str(path)).write(failing(table))

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_disk_that_is_full_is_one_sentence(table, tmp_path, monkeypatch):
    def on_a_full_disk(**_options):
        (tmp_path / "unfinished").symlink_to("/dev/full")
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "unfinished")

    monkeypatch.setattr(tempfile, "mkstemp", on_a_full_disk)

    sentence = refusal(f"{tmp_path}/customers.csv", pa.concat_tables([table] * 500))

    assert "customers.csv cannot be written to: No space left on device" in sentence
    assert list(tmp_path.glob("customers.csv.gz")) == []
    assert not (tmp_path / "unfinished").is_symlink()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("{folder}/nowhere/customers.csv", "cannot be written to: No such file or directory"),
        ("{folder}", "is a folder. Name a file in it"),
        ("{folder}/customers.txt", "is to be cannot be seen from its name"),
        ("https://example.org/customers.csv", "cannot be written to. Name a file, a bucket"),
        ("sqlite:///{folder}/nowhere/shop.db?table=a", "unable to open database file"),
        ("postgresql://me:secret@host/shop?table=a", "has a password in it"),
        ("oracle://me@host/shop?table=a", "is only read. PostgreSQL,"),
    ],
)
def test_what_cannot_be_written_to_is_one_sentence(table, tmp_path, address, sentence):
    said = refusal(address.format(folder=tmp_path), table)

    assert sentence in said
    assert "secret" not in said


def test_a_folder_without_rights_is_one_sentence(table):
    assert "cannot be written to" in refusal("/proc/customers.parquet", table)


def test_a_file_has_no_key(table, tmp_path):
    assert "is no database, so its rows have no key" in refusal(
        f"{tmp_path}/customers.csv", table, key=["customerID"]
    )


def test_a_table_is_made_and_read_back(address, table, expected, contract):
    rows = open_sink(address).write([table[:25], table[25:]])

    assert rows == 60
    assert parse(whole_table(open_source(address, contract)), contract).equals(expected)


def test_without_a_key_rows_are_added(address, table):
    for _ in range(2):
        open_sink(address).write([table])

    assert whole_table(open_source(address)).num_rows == 120


def test_with_a_key_rows_are_replaced(address, table, expected, contract):
    changed = table.set_column(
        table.schema.get_field_index("tenure"), "tenure", pa.array([1] * 60, pa.int64())
    )
    open_sink(address, key=["customerID"]).write([changed[10:]])

    for _ in range(2):
        open_sink(address, key=["customerID"]).write([table])

    assert parse(whole_table(open_source(address, contract)), contract).equals(expected)


def test_a_failure_leaves_the_rows_that_were_there(address, table):
    open_sink(address, key=["customerID"]).write([table[:3]])

    with pytest.raises(InputError, match="the source broke"):
        open_sink(address, key=["customerID"]).write(failing(table))

    assert whole_table(open_source(address)).num_rows == 3


def test_a_failure_leaves_no_table_that_was_not_there(address, table):
    with pytest.raises(InputError, match="the source broke"):
        open_sink(address).write(failing(table))

    with pytest.raises(InputError, match="cannot be read"):
        whole_table(open_source(address))


def test_a_table_with_other_columns_or_keys_is_refused(address, table):
    open_sink(address, key=["customerID"]).write([table])

    assert "has no column 'region'" in refusal(address, pa.table({"region": ["north"]}))
    assert "has no primary key or unique index of 'gender'" in refusal(
        address, table, key=["gender"]
    )
    assert whole_table(open_source(address)).num_rows == 60


def test_every_type_comes_back(address):
    import datetime as dt
    from decimal import Decimal

    moment = dt.datetime(2026, 1, 31, 12, 30, 15, 250_000)  # noqa: DTZ001 - as databases keep it
    table = pa.table(
        {
            "id": ["a", "b"],
            "whole": [2**53, None],
            "number": [0.1, None],
            "flag": [True, None],
            "day": [moment.date(), None],
            "moment": [moment, None],
            "amount": pa.array([Decimal("12.34"), None], pa.decimal128(10, 2)),
            "word": pa.array(["x", None]).dictionary_encode(),
        }
    )
    open_sink(address, key=["id"]).write([table])

    found = whole_table(open_source(f"{address}&order_by=id")).to_pylist()

    assert [row["id"] for row in found] == ["a", "b"]
    first = found[0]
    assert (first["whole"], first["number"], first["word"]) == (str(2**53), "0.1", "x")
    assert first["flag"] in ("true", "1")
    assert first["day"] == "2026-01-31"
    assert first["moment"].startswith("2026-01-31 12:30:15.25")
    assert float(first["amount"]) == 12.34
    assert set(found[1].values()) == {"b", None}


def test_a_bucket_gets_a_whole_object(table, expected, contract, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    with cloud_servers.bucket() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        address = f"s3://{cloud_servers.BUCKET}/out/customers.parquet"

        open_sink(address).write([table[:25], table[25:]])

        assert parse(whole_table(open_source(address, contract)), contract).equals(expected)
        with pytest.raises(InputError, match="the source broke"):
            open_sink(f"{address}.csv").write(failing(table))
        assert server.files() == ["out/customers.parquet"]
        with pytest.raises(InputError, match=r"^s3://nobucket/a\.csv cannot be written to: "):
            open_sink("s3://nobucket/a.csv").write([table])
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_table_is_copied_by_command(csv_file, tmp_path, capsys):
    address = f"sqlite:///{tmp_path}/shop.db?table=customers"

    assert main([str(csv_file), address, "--key", "customerID"]) == 0

    assert capsys.readouterr().out == (
        f"{csv_file} -> {address}: 60 rows, sha256 {open_source(str(csv_file)).digest()}\n"
    )
    assert main([str(tmp_path / "gone.csv"), address]) == 2
    assert "gone.csv does not exist" in capsys.readouterr().err


def test_reading_a_table_imports_no_scorer():
    # The command and the pipelines that only read need neither LightGBM nor scikit-learn.
    import subprocess

    program = "import churn.data.sources, sys; print({'lightgbm', 'sklearn', 'duckdb', 'deltalake'} & set(sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "set()\n", ended.stdout
