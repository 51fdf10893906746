"""Scores in a table of a database: a customer's row is replaced, or every job has its own."""

from __future__ import annotations

import json
import shutil
import sqlite3

import duckdb
import pytest

from churn.batch.output_folder import output_folder
from churn.batch.run_batch import BatchRequest, run_batch
from churn.batch.table_output import TableOutput, is_table
from churn.data.sources import open_source
from churn.errors import InputError
from churn.scoring.bundle import publish
from tests.churn.batch.conftest import files, with_values, write_csv


@pytest.fixture
def score_into(store, tmp_path):
    """Scores a file into the table `scores` of a database, with its records in a folder."""

    def run(
        path,
        *,
        append=False,
        address=f"sqlite:///{tmp_path}/scores.db",
        folder="records",
        **options,
    ):
        request = BatchRequest(
            store, "churn", rows_a_part=300, in_ledger=False, replaces=True, **options
        )
        return run_batch(
            request,
            output_folder(tmp_path / folder),
            lambda contract: open_source(
                str(path), contract, optional=(*contract.unscored, contract.id.name)
            ),
            deliver=TableOutput(f"{address}?table=scores", append=append),
        )

    return run


@pytest.fixture
def select(tmp_path):
    def rows(query):
        with sqlite3.connect(tmp_path / "scores.db") as connection:
            return connection.execute(query).fetchall()

    return rows


def test_a_table_has_a_row_for_each_customer(score_into, customers_file, select, tmp_path):
    result = score_into(customers_file, explain=1)

    assert select("SELECT count(*), count(DISTINCT customer_id) FROM scores") == [(1000, 1000)]
    job, reasons = select("SELECT job, reasons FROM scores LIMIT 1")[0]
    assert job == result.manifest.job_id
    assert json.loads(reasons)[0]["sentence"]
    assert sorted(files(tmp_path / "records")) == ["job.json", "manifest.json", "rejected.parquet"]


def test_the_next_job_replaces_the_rows_of_its_customers(score_into, customers_file, select, store):
    score_into(customers_file)
    publish(store, "2")

    score_into(customers_file)

    assert select("SELECT DISTINCT model_version FROM scores") == [("2",)]
    assert select("SELECT count(*) FROM scores") == [(1000,)]


def test_jobs_can_stand_beside_each_other(score_into, customers_file, select, store):
    score_into(customers_file, append=True)
    publish(store, "2")

    score_into(customers_file, append=True)

    counted = "SELECT model_version, count(*) FROM scores GROUP BY 1 ORDER BY 1"
    assert select(counted) == [("1", 1000), ("2", 1000)]


def test_a_job_that_is_delivered_twice_is_there_once(score_into, customers_file, select, tmp_path):
    score_into(customers_file, append=True)
    (tmp_path / "records" / "manifest.json").unlink()

    score_into(customers_file, append=True)

    assert select("SELECT count(*) FROM scores") == [(1000,)]


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("lost", ["DELETE FROM scores WHERE row > 900", "DROP TABLE scores"])
def test_a_table_that_has_lost_rows_of_a_complete_job_gets_them_again(
    score_into, customers_file, select, append, lost
):
    first = score_into(customers_file, append=append)
    select(lost)

    again = score_into(customers_file, append=append)

    assert (first.unchanged, again.unchanged) == (False, False)
    assert select("SELECT job, count(*) FROM scores GROUP BY 1") == [(first.manifest.job_id, 1000)]
    assert score_into(customers_file, append=append).unchanged


def test_a_duckdb_file_that_has_lost_its_rows_gets_them_again(score_into, customers_file, tmp_path):
    address = f"duckdb:///{tmp_path}/scores.duckdb"
    score_into(customers_file, append=True, address=address)
    assert score_into(customers_file, append=True, address=address).unchanged
    with duckdb.connect(f"{tmp_path}/scores.duckdb") as connection:
        connection.execute("DELETE FROM scores WHERE row > 900")

    score_into(customers_file, append=True, address=address)

    with duckdb.connect(f"{tmp_path}/scores.duckdb") as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchall() == [(1000,)]


def test_an_earlier_job_does_not_replace_the_rows_of_a_later_one(
    score_into, customers_file, raw_customers, select, tmp_path
):
    score_into(customers_file, folder="first")
    path = tmp_path / "later.csv"
    write_csv(raw_customers.slice(0, 400), path)
    later = score_into(path, folder="later").manifest.job_id

    assert score_into(customers_file, folder="first").unchanged

    assert select(f"SELECT count(*) FROM scores WHERE job = '{later}'") == [(400,)]


def test_rows_without_ids_are_known_by_job_and_number(score_into, raw_customers, tmp_path, select):
    path = tmp_path / "no_ids.csv"
    write_csv(raw_customers.slice(0, 400).drop(["customerID"]), path)

    score_into(path)

    assert select("SELECT count(DISTINCT row) FROM scores") == [(400,)]


def test_a_refused_input_reaches_no_table(score_into, raw_customers, tmp_path):
    path = tmp_path / "bad.csv"
    write_csv(with_values(raw_customers.slice(0, 400), "tenure", {1: "x"}), path)

    with pytest.raises(InputError, match="more than max_bad_rows"):
        score_into(path, max_bad_rows=0)

    assert not (tmp_path / "scores.db").exists()


@pytest.mark.parametrize(("explained", "lacks"), [(True, "'reasons'"), (False, "")])
def test_a_table_that_cannot_take_the_scores_is_refused_before_any(
    score_into, customers_file, tmp_path, explained, lacks
):
    score_into(customers_file)
    table = TableOutput(f"sqlite:///{tmp_path}/scores.db?table=scores", append=False)

    if not lacks:
        table.require_fit(explained=explained, has_ids=True)
        return
    with pytest.raises(InputError, match=f"has no column {lacks}"):
        table.require_fit(explained=explained, has_ids=True)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
@pytest.mark.parametrize(("append", "lacks"), [(True, "'job', 'row'"), (False, "'customer_id'")])
def test_a_table_without_the_key_is_refused_and_leaves_nothing(
    score_into, customers_file, tmp_path, kind, append, lacks
):
    address = f"{kind}:///{tmp_path}/keyless.db"
    score_into(customers_file, append=not append, address=address)
    shutil.rmtree(tmp_path / "records")
    before = (tmp_path / "keyless.db").read_bytes()

    with pytest.raises(InputError, match=f"has no primary key or unique index of {lacks}"):
        score_into(customers_file, append=append, address=address)

    assert not (tmp_path / "records").exists()
    assert (tmp_path / "keyless.db").read_bytes() == before


def test_the_other_setting_of_append_is_refused_though_the_job_is_complete(
    score_into, customers_file
):
    score_into(customers_file)

    with pytest.raises(InputError, match="has no primary key or unique index of 'job', 'row'"):
        score_into(customers_file, append=True)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("garbage.db", "cannot be written to"), ("nowhere/x.db", "there is no folder .*nowhere")],
)
def test_a_database_that_cannot_be_opened_is_refused_and_leaves_nothing(
    score_into, customers_file, tmp_path, kind, name, sentence
):
    (tmp_path / "garbage.db").write_text("no database " * 1000)

    with pytest.raises(InputError, match=sentence):
        score_into(customers_file, address=f"{kind}:///{tmp_path}/{name}")

    assert {each.name for each in tmp_path.iterdir()} == {"customers.csv", "garbage.db", "store"}


def test_a_database_that_is_not_there_is_not_made_to_look(tmp_path):
    table = TableOutput(f"sqlite:///{tmp_path}/scores.db?table=scores", append=False)

    table.require_fit(explained=False, has_ids=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("postgresql://host/db?table=scores", True),
        ("sqlite:///x.db?table=scores", True),
        ("s3://bucket/scores", False),
        ("scores", False),
    ],
)
def test_a_table_is_known_by_its_address(output, expected):
    assert is_table(output) is expected


def test_an_address_without_a_table_is_refused_at_once():
    with pytest.raises(InputError):
        TableOutput("sqlite:///x.db", append=False)
