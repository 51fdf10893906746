"""A batch that cannot be done: what it says, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from pyarrow import parquet

from churn.errors import ChurnError, InputError
from tests.churn.batch.conftest import write_csv


def scores(output):
    return parquet.read_table(output / "scores")


def manifest(output):
    return json.loads((output / "manifest.json").read_text())


@pytest.mark.parametrize("column", ["gender", "SeniorCitizen", "tenure"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_missing_column_leaves_nothing(score, raw_customers, tmp_path, output, column, kind):
    path = tmp_path / f"missing.{kind}"
    {"csv": write_csv, "parquet": parquet.write_table}[kind](
        raw_customers.slice(0, 400).drop([column]), path
    )

    with pytest.raises(InputError, match=f"'{column}' is missing"):
        score(path)

    assert not output.exists()


def test_a_table_without_rows_leaves_nothing(score, raw_customers, tmp_path, output):
    path = tmp_path / "empty.parquet"
    parquet.write_table(raw_customers.slice(0, 0), path)

    with pytest.raises(InputError, match="no customers"):
        score(path)

    assert not output.exists()


def test_a_file_that_changes_while_it_is_read_leaves_nothing(score, customers_file, output):
    def change(done):
        if done == 600:
            with customers_file.open("a") as file:
                file.write(customers_file.read_text().splitlines()[1] + "\n")

    with pytest.raises(InputError, match="changed while it was read"):
        score(customers_file, on_rows=change)

    assert not output.exists()


def test_an_unreadable_file_in_a_folder_leaves_nothing(score, raw_customers, tmp_path, output):
    folder = tmp_path / "parts"
    folder.mkdir()
    parquet.write_table(raw_customers.slice(0, 400), folder / "part-0.parquet")
    whole = (folder / "part-0.parquet").read_bytes()
    (folder / "part-1.parquet").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InputError, match=r"part-1\.parquet"):
        score(folder)

    assert not output.exists()


def test_an_output_inside_the_input_is_refused_and_leaves_nothing(score, raw_customers, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    parquet.write_table(raw_customers.slice(0, 400), folder / "part-0.parquet")

    with pytest.raises(InputError, match="'out' in it is no part of a table"):
        score(folder, into=folder / "out")

    assert [each.name for each in folder.iterdir()] == ["part-0.parquet"]


def test_a_folder_without_write_rights_is_refused(score, customers_file, output, monkeypatch):
    def closed(*_arguments, **_more):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("churn.batch.output_folder.Path.mkdir", closed)  # root may write everywhere
    with pytest.raises(InputError, match="cannot be written to: Permission denied"):
        score(customers_file)


def test_a_file_where_the_folder_should_be_is_refused(score, customers_file, output):
    output.write_text("a file")

    with pytest.raises(InputError, match="cannot be written to: "):
        score(customers_file)


def test_a_disk_that_fills_leaves_whole_parts_and_the_next_run_goes_on(
    score, customers_file, output, monkeypatch
):
    from churn.batch import part

    real = part.write_bytes

    def full(folder, name, content):
        if name == "scores/part-00002.parquet":
            raise OSError(28, os.strerror(28))
        real(folder, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(part, "write_bytes", full)
        with pytest.raises(
            ChurnError, match="cannot be written: No space left on device"
        ) as caught:
            score(customers_file)
    assert caught.value.exit_code == 1
    assert not (output / "manifest.json").exists()

    assert score(customers_file).manifest.parts_found == 2


def test_a_ledger_that_is_lost_costs_no_part(score, customers_file, ledger, tmp_path):
    shutil.rmtree(tmp_path / "ledger", ignore_errors=True)
    (tmp_path / "ledger").write_text("a file where the ledger's folder was")
    with pytest.raises(ChurnError, match=r"The ledger .* goes on where it stopped") as caught:
        score(customers_file, ledger=ledger)
    assert caught.value.exit_code == 1
    (tmp_path / "ledger").unlink()

    assert score(customers_file, ledger=ledger).manifest.parts_found == 4
    assert ledger.count() == 1000


def test_another_run_at_work_there_is_an_error(score, customers_file, output):
    def second(done):
        if done == 300:
            with pytest.raises(ChurnError, match="Another run is writing to"):
                score(customers_file)

    score(customers_file, on_rows=second)

    assert manifest(output)["status"] == "complete"


@pytest.mark.parametrize(
    ("name", "content"),
    [("scores/part-00001.parquet", b"half"), ("progress/part-00001.json", b'{"number":')],
)
def test_a_part_that_was_damaged_is_made_anew(score, customers_file, output, name, content):
    class Killed(BaseException):
        pass

    def stop(done):
        if done == 900:
            raise Killed

    with pytest.raises(Killed):
        score(customers_file, on_rows=stop)
    (output / name).write_bytes(content)

    assert score(customers_file).manifest.parts_found == 2
    assert scores(output)["row"].to_pylist() == list(range(1, 1001))


@pytest.mark.parametrize("kind", [None, "xor"])
def test_parts_whose_ids_an_older_release_hashed_otherwise_are_made_anew(
    score, customers_file, output, kind
):
    def stop(done):
        if done == 900:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(customers_file, on_rows=stop)
    record = output / "progress" / "part-00001.json"
    fields = json.loads(record.read_text())
    del fields["id_hash"]
    record.write_text(json.dumps(fields | ({"id_hash": kind} if kind else {})))

    assert score(customers_file).manifest.parts_found == 2


def test_parts_of_another_time_are_not_taken_for_the_jobs(score, customers_file, output):
    def stop(done):
        if done == 900:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(customers_file, on_rows=stop)
    job = json.loads((output / "job.json").read_text()) | {"scored_at": "2026-01-01T00:00:00Z"}
    (output / "job.json").write_text(json.dumps(job))

    assert score(customers_file).manifest.parts_found == 0
    assert len(set(scores(output)["scored_at"].to_pylist())) == 1
