"""Files as they come: which bytes are a table, and the sentence for those that are not."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import orc, parquet

from churn.data import parse, read_raw
from churn.errors import InputError


@pytest.fixture(scope="module")
def parquet_bytes(frame) -> bytes:
    return frame.to_parquet(index=False)


def refusal(content: bytes, name: str = "mine.csv", **limits) -> str:
    with pytest.raises(InputError) as caught:
        read_raw(content, name, **limits)
    return str(caught.value)


def orc_file() -> bytes:
    file = io.BytesIO()
    orc.write_table(pa.table({"tenure": [1]}), file)
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("customers.csv"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "mine.csv is empty. Name a file with a header and customers."),
        (b"\xef\xbb\xbf \n\n", "mine.csv is empty. Name a file with a header and customers."),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "mine.csv is a PNG picture, not a CSV table. Export the table as CSV.",
        ),
        (
            b"\n<!DOCTYPE html><html><body>Sign in</body></html>",
            "mine.csv is an HTML or XML page, not a CSV table. Export the table as CSV.",
        ),
        (
            pickle.dumps({"customerID": ["a"]}),
            "mine.csv is a Python pickle, not a CSV table. Export the table as CSV.",
        ),
        (
            b"PK\x03\x04\x14\0",
            "mine.csv is a zip archive, not a CSV table. Unpack it, and name the file in it.",
        ),
        (
            b"PK\x03\x04\x14\0[Content_Types].xml PK\x01\x02 xl/workbook.xml",
            "mine.csv is an Excel workbook, not a CSV table. Save the sheet as 'CSV UTF-8'.",
        ),
        (
            orc_file(),
            "mine.csv is an ORC file, not a CSV table. Write it as parquet: "
            "pandas.read_orc(FILE).to_parquet(NEW_FILE).",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
            "mine.csv is a pointer of Git LFS, not a CSV table. Fetch the file with `git lfs pull`.",
        ),
        (
            tar(),
            "mine.csv is a tar archive, not a CSV table. Unpack it, and name the file in it.",
        ),
        ("a,b\n1,2\n".encode("utf-16-le"), "mine.csv is text in UTF-16. Save it as UTF-8."),
        ("a,b\n1,2\n".encode("utf-16-be"), "mine.csv is text in UTF-16. Save it as UTF-8."),
        (b"sep=,\r\n", "mine.csv is empty. Name a file with a header and customers."),
        (
            json.dumps([{"customerID": 1}]).encode(),
            "mine.csv is a JSON document, not a CSV table. Export the table as CSV.",
        ),
        (
            gzip.compress(gzip.compress(b"a,b\n1,2\n")),
            "mine.csv is a gzip file in a gzip file, not a CSV table. Export the table as CSV.",
        ),
    ],
    ids=[
        "empty",
        "blank",
        "png",
        "html",
        "pickle",
        "zip",
        "xlsx",
        "orc",
        "lfs",
        "tar",
        "utf-16-le",
        "utf-16-be",
        "separator line",
        "json",
        "gzip twice",
    ],
)
def test_what_is_no_csv_is_called_by_its_name(content, sentence):
    assert refusal(content) == sentence


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda text: text.splitlines()[0].encode(),
            "mine.csv has a header but no customers. Name a file with rows.",
        ),
        (
            lambda text: text.encode("utf-16"),
            "mine.csv is text in UTF-16. Save it as UTF-8.",
        ),
        (
            lambda text: text.replace("Mailed check", "Chèque", 1).encode("latin-1"),
            "mine.csv is not UTF-8 on line 3; it may be Latin-1 or Windows-1252. Save it as UTF-8.",
        ),
        (
            lambda text: text.replace("Fiber optic", "Fiber\0optic", 1).encode(),
            "mine.csv has a NUL byte on line 6, so it is no text. Export the table as CSV again.",
        ),
        (
            lambda text: text.replace(",", ";").encode(),
            "mine.csv is separated by semicolons, not by commas. Export it again with commas, and "
            "with a point for decimals.",
        ),
        (
            lambda text: text.replace(",", "\t").encode(),
            "mine.csv is separated by tabs, not by commas. Export it again with commas, and with a "
            "point for decimals.",
        ),
        (
            lambda text: text.replace("Mailed check", "Mailed,check", 1).encode(),
            "mine.csv line 3: 22 fields where the header has 21. Make the line whole, or quote the "
            "comma in it.",
        ),
        (
            lambda text: text.replace("Month-to-month,", "", 1).encode(),
            "mine.csv line 2: 20 fields where the header has 21. Make the line whole, or quote the "
            "comma in it.",
        ),
        (
            lambda text: text.encode()[:-60],
            "mine.csv line 31: 12 fields where the header has 21. Make the line whole, or quote "
            "the comma in it.",
        ),
        (
            lambda text: text.replace("Mailed check", '"Mailed check', 1).encode(),
            "mine.csv line 3: the row cannot be read as CSV; a quote may be open. Close it, or "
            "export the table again.",
        ),
        (
            lambda text: gzip.compress(text.encode())[:-20],
            "mine.csv is a gzip file that ends too early. Copy or download it again.",
        ),
        (
            lambda text: gzip.compress(text.encode())[:-8] + b"checksum",
            "mine.csv is a damaged gzip file. Make it again, or hand over the CSV file itself.",
        ),
    ],
    ids=[
        "header only",
        "UTF-16",
        "Latin-1",
        "NUL",
        "semicolons",
        "tabs",
        "too many fields",
        "too few fields",
        "cut off",
        "open quote",
        "gzip cut off",
        "gzip damaged",
    ],
)
def test_a_spoilt_csv_is_refused_in_one_sentence(text, spoil, sentence):
    assert refusal(spoil(text)) == sentence


def test_a_line_number_counts_the_lines_of_quoted_cells(text):
    header, first, *rest = text.splitlines()
    broken = "\n".join([header, first.replace("DSL", '"D\nS\nL"'), *rest[:2], "too,short"])

    assert refusal(broken.encode()).startswith("mine.csv line 7: 2 fields")


def test_an_open_quote_on_the_last_cell_shows_no_customer(text, contract):
    # Two open quotes: each swallows the rows up to the next, and every row still looks whole.
    lines = text.splitlines()
    lines[3] = lines[3].rpartition(",")[0] + ',"No'
    lines[5] = '"' + lines[5].partition(",")[2]
    with pytest.raises(InputError) as caught:
        parse(read_raw("\n".join(lines).encode(), "mine.csv")[0], contract)

    assert not [line for line in lines[1:] if line.partition(",")[0] in str(caught.value)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: content[: len(content) // 2],
        lambda content: content[:4] + b"\xff" * 64 + content[68:],
        lambda content: b"PAR1",
        lambda content: b"customerID,gender\n",
    ],
    ids=["no footer", "half", "overwritten", "magic only", "CSV in disguise"],
)
def test_a_damaged_parquet_file_is_refused(parquet_bytes, damage):
    assert refusal(damage(parquet_bytes), "mine.parquet") == (
        "mine.parquet is not a whole parquet file. Write it again, or hand over CSV."
    )


@pytest.mark.parametrize("content", [b"ARROW1", b"ARROW1\0\0" + b"x" * 90, b"\xff\xff\xff\xff\1"])
def test_a_damaged_arrow_file_is_refused(content):
    assert refusal(content) == (
        "mine.csv is not a whole Arrow file. Write it again, or hand over parquet."
    )


def test_a_parquet_text_that_is_not_utf8_is_refused():
    file = io.BytesIO()
    table = pa.table({"PaymentMethod": ["Mailed check"]})
    parquet.write_table(table, file, compression="none", write_statistics=False)
    spoilt = file.getvalue().replace(b"Mailed check", b"Mailed\x80check")

    assert "is not a whole parquet file" in refusal(spoilt, "mine.parquet")


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("tenure", [[1]], "list<element: int64>"),
        ("Contract", [b"One year"], "binary"),
        ("tenure", [pd.Timedelta(1)], "duration[us]"),
    ],
    ids=["list", "bytes", "duration"],
)
def test_a_parquet_column_of_a_foreign_type_is_refused(name, values, kind):
    file = io.BytesIO()
    parquet.write_table(pa.table({name: values}), file)

    assert refusal(file.getvalue(), "mine.parquet") == (
        f"Column '{name}' is of parquet type '{kind}', and only texts, numbers, booleans and "
        "dates are read. Write it as one of them."
    )


def test_a_parquet_number_that_is_text_is_refused_like_in_csv(frame, contract):
    loose = frame.astype({"tenure": str})
    loose.loc[4, "tenure"] = "four"
    table, _ = read_raw(loose.to_parquet(index=False), "mine.parquet")

    with pytest.raises(InputError, match="Column 'tenure' row 5: 'four' is not a number"):
        parse(table, contract)


def test_a_null_in_parquet_is_a_blank(frame, contract):
    loose = frame.assign(TotalCharges=frame["TotalCharges"].astype(object))
    loose.loc[2, "TotalCharges"] = None
    table, _ = read_raw(loose.to_parquet(index=False), "mine.parquet")

    with pytest.raises(InputError, match="Column 'TotalCharges' row 3: the cell is blank"):
        parse(table, contract)


def test_a_parquet_column_that_is_there_twice_is_refused():
    file = io.BytesIO()
    parquet.write_table(pa.table([["a"], ["b"]], names=["gender", "gender"]), file)

    assert refusal(file.getvalue(), "x.parquet") == (
        "Column 'gender' is there twice in the file. Keep one."
    )


def test_a_parquet_bomb_is_refused_before_it_unpacks():
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": pa.array(["x" * 1000] * 200_000)}), file)
    bomb = file.getvalue()
    assert len(bomb) < 100_000

    before = pa.total_allocated_bytes()
    sentence = refusal(bomb, "bomb.parquet", largest=1 << 20)

    assert sentence.startswith("bomb.parquet unpacks to more than 1,048,576 bytes")
    assert pa.total_allocated_bytes() - before < 64 << 20
