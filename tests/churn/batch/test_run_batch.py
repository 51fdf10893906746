"""A batch from the first row to the manifest: counts, files, refusals, and what is left behind."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from churn.batch.run_batch import BatchResult
from churn.errors import InputError
from churn.ledger.predictions import input_hash
from churn.scoring.bundle import publish
from tests.churn.batch.conftest import files, with_values, write_csv


def scores(output):
    return parquet.read_table(output / "scores")


def rejected(output):
    return parquet.read_table(output / "rejected.parquet").to_pylist()


def manifest(output):
    return json.loads((output / "manifest.json").read_text())


@pytest.fixture
def some_bad(raw_customers, tmp_path):
    """1,000 customers, five of them with a tenure that is none."""
    path = tmp_path / "some_bad.csv"
    bad = dict.fromkeys((1, 300, 301, 999, 1000), "a year")
    write_csv(with_values(raw_customers.slice(0, 1000), "tenure", bad), path)
    return path


def test_every_customer_is_scored_once(score, customers_file, output, raw_customers, batch_scorer):
    result: BatchResult = score(customers_file)

    found = scores(output)
    assert found["customer_id"].to_pylist() == raw_customers["customerID"].to_pylist()[:1000]
    row = raw_customers.drop(["Churn"]).slice(999, 1).to_pylist()[0]
    assert found["probability"][999].as_py() == batch_scorer.scorer.score_one(row).probability
    assert (result.manifest.rows, result.manifest.accepted, result.manifest.rejected) == (
        1000,
        1000,
        0,
    )
    assert sum(result.manifest.histogram) == 1000
    assert result.manifest.not_read == ("Churn",)
    assert sorted(files(output)) == [
        "job.json", "manifest.json", "rejected.parquet",
        *(f"scores/part-0000{number}.parquet" for number in range(4)),
    ]  # fmt: skip


def test_the_manifest_names_every_part_with_the_digest_of_its_bytes(score, customers_file, output):
    import hashlib

    score(customers_file)

    named = [*manifest(output)["parts"], manifest(output)["rejected_rows"]]
    digests = {each["name"]: each["sha256"] for each in named}
    content = files(output)
    assert digests == {
        name: hashlib.sha256(content[name]).hexdigest()
        for name in content
        if name.endswith(".parquet")
    }


def test_a_complete_output_is_not_written_again(score, customers_file, output):
    score(customers_file)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}

    result = score(customers_file)

    assert result.unchanged
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_same_job_gives_the_same_bytes(score, some_bad, output, tmp_path, kind):
    score(some_bad, format=kind, explain=2)
    again = tmp_path / "again"
    again.mkdir()
    (again / "job.json").write_bytes((output / "job.json").read_bytes())

    score(some_bad, into=again, format=kind, explain=2)

    assert without_manifest(again) == without_manifest(output)


def without_manifest(folder):
    return {name: content for name, content in files(folder).items() if name != "manifest.json"}


def test_bad_rows_are_set_aside_and_the_others_scored(score, some_bad, output):
    result = score(some_bad)

    assert (result.manifest.accepted, result.manifest.rejected) == (995, 5)
    assert [row["row"] for row in rejected(output)] == [1, 300, 301, 999, 1000]
    assert {row["field"] for row in rejected(output)} == {"tenure"}
    assert scores(output)["row"].to_pylist() == sorted({*range(1, 1001)} - {1, 300, 301, 999, 1000})


@pytest.mark.parametrize(
    ("most", "refused"), [(5, False), (4, True), (0.005, False), (0.0049, True)]
)
def test_more_bad_rows_than_are_allowed_refuse_the_input(score, some_bad, output, most, refused):
    if not refused:
        assert score(some_bad, max_bad_rows=most).manifest.rejected == 5
        return
    with pytest.raises(InputError, match="5 of 1,000 rows are refused, more than max_bad_rows"):
        score(some_bad, max_bad_rows=most)

    assert sorted(files(output)) == ["job.json", "manifest.json", "rejected.parquet"]
    assert manifest(output)["status"] == "refused"
    assert manifest(output)["parts"] == []
    assert len(rejected(output)) == 5


def test_a_refused_input_is_scored_where_more_bad_rows_are_allowed_later(score, some_bad, output):
    with pytest.raises(InputError):
        score(some_bad, max_bad_rows=0)

    score(some_bad, max_bad_rows=5)

    assert manifest(output)["status"] == "complete"
    assert scores(output).num_rows == 995


def test_an_input_of_bad_rows_alone_is_refused_whatever_is_allowed(
    score, raw_customers, tmp_path, output
):
    path = tmp_path / "all_bad.csv"
    write_csv(with_values(raw_customers.slice(0, 3), "tenure", dict.fromkeys((1, 2, 3), "x")), path)

    with pytest.raises(InputError, match=r"All 3 rows of .* are refused"):
        score(path, max_bad_rows=1.0)

    assert len(rejected(output)) == 3
    assert manifest(output)["status"] == "refused"


@pytest.fixture
def twice(raw_customers, tmp_path):
    """1,000 customers: rows 2 and 950 have the id of row 1, and row 900 that of row 5, which is bad."""
    ids = raw_customers["customerID"].to_pylist()
    table = raw_customers.slice(0, 1000)
    table = with_values(table, "customerID", {2: ids[0], 950: ids[0], 900: ids[4]})
    path = tmp_path / "twice.csv"
    write_csv(with_values(table, "tenure", {5: "x"}), path)
    return path


def test_a_repeated_id_is_set_aside_and_its_first_good_row_is_scored(score, twice, output):
    result = score(twice)

    assert [row["row"] for row in rejected(output)] == [2, 5, 950]
    assert [row["field"] for row in rejected(output)] == ["customerID", "tenure", "customerID"]
    assert rejected(output)[2]["reason"].startswith("Row 1 has the same id")
    assert result.manifest.repeated == 2
    assert len(set(scores(output)["customer_id"].to_pylist())) == result.manifest.accepted == 997


def test_repeated_ids_refuse_the_input_where_that_is_asked(score, twice, output):
    with pytest.raises(InputError, match="2 of 1,000 rows have the id of an earlier row"):
        score(twice, duplicates="refuse")

    assert manifest(output)["status"] == "refused"
    assert "scores/part-00000.parquet" not in files(output)


def test_a_table_without_ids_is_scored_by_row_number(score, raw_customers, tmp_path, output):
    path = tmp_path / "no_ids.csv"
    write_csv(raw_customers.slice(0, 400).drop(["customerID"]), path)

    score(path)

    assert scores(output)["customer_id"].null_count == 400
    assert scores(output)["row"].to_pylist() == list(range(1, 401))


def test_parts_as_csv_have_the_values_of_parquet(score, customers_file, output, tmp_path):
    score(customers_file, explain=1)
    score(customers_file, into=tmp_path / "csv", format="csv", explain=1)

    read = pa.concat_tables(
        csv.read_csv(path) for path in sorted((tmp_path / "csv" / "scores").iterdir())
    )
    assert read["probability"].to_pylist() == scores(output)["probability"].to_pylist()
    reasons = scores(output)["reasons"].to_pylist()
    assert [json.loads(each) for each in read["reasons"].to_pylist()] == reasons


def test_the_ledger_has_every_prediction_once(
    score, some_bad, output, ledger, batch_scorer, raw_customers
):
    score(some_bad, ledger=ledger)
    (output / "manifest.json").unlink()

    score(some_bad, ledger=ledger)

    kept = ledger.predictions()
    assert len(kept) == len({one.prediction_id for one in kept}) == 995
    assert {(one.source, one.role, one.version) for one in kept} == {("batch", "production", "1")}
    row = raw_customers.drop(["Churn"]).slice(1, 1).to_pylist()[0]
    values = batch_scorer.scorer.values(row)[: len(batch_scorer.names)]
    assert kept[0].input_hash == input_hash(values)
    assert kept[0].customer == row["customerID"]
    assert kept[0].prediction_id == f"{manifest(output)['job_id']}{2:012x}"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_customer_whose_id_is_a_word_for_nothing_is_one(
    score, raw_customers, tmp_path, output, ledger, kind
):
    words = {1: "NA", 2: "null", 400: "NA", 500: "null", 600: "nan"}
    path = tmp_path / "words.csv"
    write_csv(with_values(raw_customers.slice(0, 700), "customerID", words), path)

    score(path, format=kind, ledger=ledger)

    rejected = parquet.read_table(output / "rejected.parquet")
    reasons = rejected["reason"].to_pylist()
    assert rejected["row"].to_pylist() == [400, 500]
    assert reasons[0].startswith("Row 1 has")
    assert reasons[1].startswith("Row 2 has")
    assert {"NA", "null", "nan"} < {each.customer for each in ledger.predictions()}


def test_a_refused_input_leaves_nothing_in_the_ledger(score, some_bad, ledger):
    with pytest.raises(InputError):
        score(some_bad, max_bad_rows=0, ledger=ledger)

    assert ledger.count() == 0


def test_another_version_is_scored_where_it_is_named(score, customers_file, output):
    result = score(customers_file, version="2")

    assert set(scores(output)["model_version"].to_pylist()) == {"2"}
    assert result.manifest.job.role == "shadow"


def test_a_version_that_is_not_there_is_refused(score, customers_file, output):
    with pytest.raises(InputError, match="no bundle of version '9'"):
        score(customers_file, version="9")

    assert not output.exists()


def test_a_job_that_goes_on_keeps_its_version_and_its_time(score, customers_file, output, store):
    class Killed(BaseException):
        pass

    def stop(done):
        if done >= 600:
            raise Killed

    with pytest.raises(Killed):
        score(customers_file, on_rows=stop)
    at = json.loads((output / "job.json").read_text())["scored_at"]
    publish(store, "2")

    result = score(customers_file)

    assert set(scores(output)["model_version"].to_pylist()) == {"1"}
    assert result.manifest.parts_found == 2
    assert manifest(output)["job"]["scored_at"] == at


def test_a_complete_output_of_an_older_version_is_not_taken_for_the_new_ones(
    score, customers_file, store
):
    score(customers_file)
    publish(store, "2")

    with pytest.raises(InputError, match="holds the scores of version 1, and version 2 is in prod"):
        score(customers_file)


def test_an_output_of_another_input_is_refused(score, customers_file, some_bad):
    score(customers_file)

    with pytest.raises(InputError, match=r"the scores of another job: input_digest differs\. Name"):
        score(some_bad)


def test_an_output_that_holds_something_else_is_refused(score, customers_file, output):
    output.mkdir()
    (output / "letter.txt").write_text("mine")

    with pytest.raises(InputError, match=r"holds something else \(letter.txt\)"):
        score(customers_file)

    assert sorted(files(output)) == ["letter.txt"]


@pytest.mark.parametrize("lost", ["scores/part-00001.parquet", "rejected.parquet"])
@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_complete_output_that_has_lost_a_file_is_made_whole(
    score, some_bad, output, ledger, lost, harm
):
    score(some_bad, ledger=ledger)
    before, kept = files(output), ledger.predictions()
    if harm == "gone":
        (output / lost).unlink()
    else:
        (output / lost).write_bytes(before[lost][:-1])

    assert not score(some_bad, ledger=ledger).unchanged

    assert files(output) == before | {"manifest.json": files(output)["manifest.json"]}
    assert ledger.predictions() == kept


def test_a_manifest_of_another_job_is_none(score, customers_file, output):
    score(customers_file)
    found = manifest(output)
    found["job"]["explain"] = 3
    (output / "manifest.json").write_text(json.dumps(found))

    assert not score(customers_file).unchanged
