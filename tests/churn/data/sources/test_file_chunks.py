"""Files are read chunk by chunk, and a chunked read gives what a whole one gives."""

from __future__ import annotations

import gzip
import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from churn.data import parse, read_raw
from churn.data.sources import open_source
from churn.errors import InputError
from tests.churn.data.sources.conftest import whole


@pytest.fixture(scope="module")
def stored(text, tmp_path_factory):
    """A folder with the customers in every format."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "customers.csv").write_text(text, encoding="utf-8")
    (folder / "customers.csv.gz").write_bytes(gzip.compress(text.encode()))
    table = arrow_csv.read_csv(folder / "customers.csv")
    parquet.write_table(table, folder / "customers.parquet", row_group_size=17)
    parts = folder / "parts"
    parts.mkdir()
    parquet.write_table(table[:25], parts / "part-0.parquet")
    parquet.write_table(table[25:], parts / "part-1.parquet")
    return folder


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["customers.csv", "customers.csv.gz", "customers.parquet", "parts"]),
    rows=st.integers(1, 70),
)
def test_chunks_of_any_size_are_the_whole_table(stored, text, contract, name, rows):
    expected = parse(read_raw(text.encode(), "mine.csv")[0], contract)
    source = open_source(str(stored / name), contract)

    chunks = list(source.chunks(rows))

    assert parse(whole(source, rows), contract).equals(expected)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    sizes = [chunk.table.num_rows for chunk in chunks]
    assert [chunk.first_row for chunk in chunks] == [sum(sizes[:n]) for n in range(len(sizes))]
    assert max(sizes) <= rows


def test_a_parquet_chunk_spans_no_two_row_groups(stored):
    sizes = [
        chunk.table.num_rows for chunk in open_source(str(stored / "customers.parquet")).chunks(10)
    ]

    assert sizes == [10, 7, 10, 7, 10, 7, 9]


def test_csv_columns_are_texts_and_parquet_columns_keep_their_types(stored):
    by_name = {
        name: next(open_source(str(stored / name)).chunks()).table.schema
        for name in ("customers.csv", "customers.parquet")
    }

    assert set(by_name["customers.csv"].types) == {pa.string()}
    assert by_name["customers.parquet"].field("tenure").type == pa.int64()


def test_the_digest_is_that_of_the_bytes_in_order(stored):
    parts = b"".join(path.read_bytes() for path in sorted((stored / "parts").iterdir()))

    assert open_source(str(stored / "parts")).digest() == hashlib.sha256(parts).hexdigest()


@pytest.mark.parametrize("asked_before", [True, False], ids=["digest known", "digest unknown"])
def test_a_file_that_changes_while_it_is_read_is_refused(csv_file, text, asked_before):
    source = open_source(str(csv_file))
    if asked_before:
        source.digest()
    chunks = source.chunks(20)
    next(chunks)
    csv_file.write_text(text.replace("Male", "Mole"))

    with pytest.raises(InputError, match=r"customers\.csv changed while it was read"):
        list(chunks)


@pytest.mark.parametrize("end", ["half a line", ""], ids=["written to", "cut off"])
def test_half_a_line_of_a_file_that_is_being_written_is_not_blamed(csv_file, text, end):
    header, rows = text.split("\n", 1)
    long = f"{header}\n{rows * 1500}"  # more than is read ahead
    csv_file.write_text(long)
    chunks = open_source(str(csv_file)).chunks(2000)
    next(chunks)
    with csv_file.open("r+") as file:
        file.seek(len(long))
        file.write(end)
        file.truncate(len(long) + (len(end) or -30))

    with pytest.raises(InputError, match=r"customers\.csv changed while it was read"):
        list(chunks)


def test_a_file_that_changed_since_its_digest_is_refused(csv_file, text):
    source = open_source(str(csv_file))
    source.digest()
    csv_file.write_text(text.replace("Male", "Mole"))

    with pytest.raises(InputError, match="changed while it was read"):
        list(source.chunks())


def test_an_unreadable_file_in_a_folder_is_named(csv_file, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    table = arrow_csv.read_csv(csv_file)
    parquet.write_table(table, folder / "part-0.parquet")
    (folder / "part-1.parquet").write_bytes((folder / "part-0.parquet").read_bytes()[:-9])

    with pytest.raises(InputError, match=r"parts/part-1\.parquet is not a whole parquet file"):
        list(open_source(str(folder)).chunks())


def test_a_file_that_goes_away_is_named(csv_file):
    source = open_source(str(csv_file))
    csv_file.unlink()

    with pytest.raises(InputError, match=r"customers\.csv cannot be read: No such file"):
        list(source.chunks())


def test_a_quote_left_open_is_found_at_the_end(csv_file, text):
    csv_file.write_text(text.replace("Mailed check", '"Mailed check', 1))

    with pytest.raises(InputError, match=r"customers\.csv line 3: the row cannot be read as CSV"):
        list(open_source(str(csv_file)).chunks(10))


def test_a_wrong_line_far_behind_is_named_by_its_number(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1,2\n" * 300_000 + "1,2,3\n")

    with pytest.raises(InputError, match=r"long\.csv line 300002: 3 fields where the header has 2"):
        list(open_source(str(path)).chunks())
