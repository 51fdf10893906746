"""How many rows a table has: exactly for parquet, about for CSV, unknown where only reading tells."""

from __future__ import annotations

import gzip

import pytest
from pyarrow import parquet

from churn.batch.expected_rows import expected_rows
from tests.churn.batch.conftest import write_csv


def test_a_parquet_file_and_a_folder_say_how_many_rows_they_have(raw_customers, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, rows in enumerate((100, 50)):
        parquet.write_table(raw_customers.slice(0, rows), folder / f"part-{number}.parquet")
    (folder / "_SUCCESS").touch()

    assert expected_rows(str(folder)) == 150
    assert expected_rows(str(folder / "part-1.parquet")) == 50


def test_the_rows_of_csv_are_estimated_from_its_beginning(raw_customers, tmp_path):
    write_csv(raw_customers, tmp_path / "customers.csv")

    assert expected_rows(str(tmp_path / "customers.csv")) == pytest.approx(7043, rel=0.02)


@pytest.mark.parametrize("where", ["s3://bucket/x.parquet", "nowhere.csv", "empty.csv", "x.csv.gz"])
def test_others_are_not_known(where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))

    assert expected_rows(where) is None
