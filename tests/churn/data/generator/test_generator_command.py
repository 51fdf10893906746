"""`python -m churn.data.generator`: one file, whole or not at all."""

from __future__ import annotations

import pyarrow.csv
import pyarrow.parquet
import pytest

from churn.data.generator import __main__ as command
from churn.data.sources import file_sink


def run(*words: object) -> int:
    return command.main([str(word) for word in words])


def test_a_parquet_file_names_its_address(tmp_path, capsys):
    path = tmp_path / "customers.parquet"

    code = run(1000, "--seed", 7, "--scenario", "price_rise", "--output", path)

    table = pyarrow.parquet.read_table(path)
    address = "generated:1000?scenario=price_rise&outcomes=false"
    assert code == 0
    assert table.num_rows == 1000
    assert "Churn" not in table.column_names
    assert table.schema.metadata[b"churn.generator"].decode() == address
    assert capsys.readouterr().out == f"{path}: 1,000 synthetic customers, {address}\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["customers.csv", "customers.csv.gz"])
def test_csv_has_the_same_customers(tmp_path, name):
    for each in (name, "customers.parquet"):
        options = ["--with-outcomes", "--weeks", 3, "--with-truth"]
        assert run(1000, *options, "--output", tmp_path / each) == 0

    texts = pyarrow.csv.read_csv(tmp_path / name)
    stored = pyarrow.parquet.read_table(tmp_path / "customers.parquet")
    assert texts.column_names == stored.column_names
    assert texts.column_names[-4:] == [
        "Churn",
        "observed_on",
        "outcome_known_on",
        "true_probability",
    ]
    for column in ("customerID", "MonthlyCharges", "TotalCharges", "Churn", "observed_on"):
        assert texts[column].to_pylist() == stored[column].to_pylist()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["0"], "rows is '0'"),
        (["ten"], "rows is 'ten'"),
        (["10", "--seed", "-1"], "seed is '-1'"),
        (["10", "--scenario", "price_ris"], "Did you mean 'price_rise'?"),
        (["10", "--start", "yesterday"], "start is 'yesterday'"),
        (["10", "--contract", "nowhere.yaml"], "nowhere.yaml does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, capsys, words, sentence):
    assert run(*words, "--output", tmp_path / "customers.csv") == 2

    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("customers.xlsx", "End it in .parquet, .csv or .csv.gz"),
        ("missing/customers.csv", "cannot be written"),
        ("", "is a folder"),
    ],
)
def test_a_place_that_takes_no_file_is_named(tmp_path, capsys, name, sentence):
    assert run(10, "--output", tmp_path / name) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_run_that_breaks_off_keeps_the_file_that_was_there(tmp_path, capsys, monkeypatch, error):
    # given a file from before, and a disk that fills (or Ctrl-C) after some customers
    path = tmp_path / "customers.csv"
    path.write_text("from before")

    def broken(_path, tables, _kind):
        next(iter(tables))
        raise error

    monkeypatch.setattr(file_sink, "_write", broken)

    # when
    code = run(1000, "--output", path)

    # then
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert capsys.readouterr().err.count("\n") == 1
    assert path.read_text() == "from before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_run_says_how_far_it_is(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "_QUIET_SECONDS", -1.0)

    assert run(70_000, "--output", tmp_path / "customers.parquet") == 0
    assert capsys.readouterr().err.splitlines() == [
        "65,536 of 70,000 customers",
        "70,000 of 70,000 customers",
    ]
