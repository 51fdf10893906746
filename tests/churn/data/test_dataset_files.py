"""Files as they come: which bytes are a table, and the sentence for those that are not."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import tarfile
import tracemalloc

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import orc, parquet
from pyarrow.feather import write_feather

from churn.data import parse, read_raw
from churn.errors import InputError


@pytest.fixture(scope="module")
def text(root, contract) -> str:
    """The header and the first 30 real customers."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def frame(text, contract) -> pd.DataFrame:
    return parse(read_raw(text.encode(), "mine.csv")[0], contract)


@pytest.fixture(scope="module")
def parquet_bytes(frame) -> bytes:
    return frame.to_parquet(index=False)


def refusal(content: bytes, name: str = "mine.csv", **limits) -> str:
    with pytest.raises(InputError) as caught:
        read_raw(content, name, **limits)
    return str(caught.value)


def feather() -> bytes:
    file = io.BytesIO()
    write_feather(pa.table({"tenure": [1]}), file)
    return file.getvalue()


def orc_file() -> bytes:
    file = io.BytesIO()
    orc.write_table(pa.table({"tenure": [1]}), file)
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("customers.csv"))
    return file.getvalue()


FORMATS = {
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark and CRLF": lambda text: ("\ufeff" + text.replace("\n", "\r\n")).encode(),
    "no newline at the end": lambda text: text.rstrip("\n").encode(),
    "blank lines": lambda text: (text.replace("\n", "\n\n", 3) + "\n\n").encode(),
    "every cell quoted": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "Excel's separator line": lambda text: b"sep=,\r\n" + text.encode(),
    "a separator line in quotes behind a mark": lambda text: (
        '\ufeff"sep=,",,,\n'.encode() + text.encode()
    ),
    "floats for flags": lambda text: (
        text.replace(",0,Yes,", ",0.0,Yes,").replace(",0,No,", ",0.000000000000000000,No,")
    ).encode(),
    "booleans": lambda text: re.sub(r",Yes$", ",TRUE", text, flags=re.MULTILINE).encode(),
}


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(content)
    return sink.getvalue().to_pybytes()


PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_table_is_read_however_it_was_saved(text, frame, contract, format_name):
    content = FORMATS[format_name](text)
    assert content != text.encode()

    table, kind = read_raw(content, "mine.csv")

    pd.testing.assert_frame_equal(parse(table, contract), frame)
    assert kind == "csv"


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("members", [1, 2])
def test_a_compressed_csv_gives_the_same_table(text, frame, contract, suffix, members):
    pack = PACKED[suffix]
    content = (
        pack(text.encode())
        if members == 1
        else pack(text[:500].encode()) + pack(text[500:].encode())
    )

    table, kind = read_raw(content, "mine.csv")

    pd.testing.assert_frame_equal(parse(table, contract), frame)
    assert kind == f"csv.{suffix}"


@pytest.mark.parametrize(
    ("suffix", "kind"), [("gz", "a gzip"), ("bz2", "a bzip2"), ("xz", "an xz"), ("zst", "a zstd")]
)
def test_a_spoilt_compressed_file_is_refused(text, suffix, kind):
    whole = PACKED[suffix](text.encode())
    magic = whole[:6]

    assert refusal(whole[:-20]) == (
        f"mine.csv is {kind} file that ends too early. Copy or download it again."
    )
    assert refusal(magic + b"\xff" * 200) == (
        f"mine.csv is a damaged {kind.split()[1]} file. Make it again, or hand over the CSV file itself."
    )
    assert refusal(PACKED[suffix](gzip.compress(b"a,b\n1,2\n"))) == (
        f"mine.csv is a gzip file in {kind} file, not a CSV table. Export the table as CSV."
    )


@pytest.mark.parametrize("suffix", PACKED)
def test_a_compressed_bomb_is_refused_before_it_unpacks(suffix):
    bomb = PACKED[suffix](b"0" * (64 << 20))
    largest = 1 << 20
    tracemalloc.start()
    try:
        sentence = refusal(bomb, "bomb.csv", largest=largest)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert sentence == (
        "bomb.csv unpacks to more than 1,048,576 bytes, and no table read here may. Split it."
    )
    assert peak < 16 << 20  # xz itself takes eight


def test_what_unpacks_to_just_the_limit_is_read(text):
    content = gzip.compress(text.encode())

    assert read_raw(content, "mine.csv", largest=len(text.encode()))[0].num_rows == 30
    assert "unpacks to more than" in refusal(content, largest=len(text.encode()) - 1)


def test_parquet_gives_the_same_table(parquet_bytes, frame, contract):
    table, kind = read_raw(parquet_bytes, "mine.parquet")

    pd.testing.assert_frame_equal(parse(table, contract), frame)
    assert kind == "parquet"


def test_parquet_of_plain_texts_and_integers_gives_the_same_table(text, frame, contract):
    loose = pd.read_csv(io.StringIO(text))  # pandas' own guess: SeniorCitizen becomes int64
    assert loose["SeniorCitizen"].dtype == "int64"

    table, _ = read_raw(loose.to_parquet(index=False), "mine.parquet")

    pd.testing.assert_frame_equal(parse(table, contract), frame)


@pytest.mark.parametrize(
    "types",
    [
        {"SeniorCitizen": pa.decimal128(38, 18), "tenure": pa.decimal128(38, 18), "MonthlyCharges": pa.decimal128(38, 18)},
        {"SeniorCitizen": pa.decimal128(21, 2), "tenure": pa.decimal256(60, 0)},
        {"SeniorCitizen": pa.int8(), "tenure": pa.uint8()},
        {"SeniorCitizen": pa.float64(), "tenure": pa.float32()},
        {"SeniorCitizen": pa.bool_()},
        {"Contract": pa.dictionary(pa.int8(), pa.string()), "customerID": pa.large_string()},
    ],
    ids=["Spark's decimals", "other decimals", "small integers", "floats", "booleans", "texts"],
)  # fmt: skip
def test_a_column_of_another_type_with_the_same_values_is_the_same(text, frame, contract, types):
    table = pa.Table.from_pandas(pd.read_csv(io.StringIO(text)), preserve_index=False)
    for name, kind in types.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(kind))
    file = io.BytesIO()
    parquet.write_table(table, file)

    pd.testing.assert_frame_equal(parse(read_raw(file.getvalue(), "x.parquet")[0], contract), frame)


def test_booleans_are_the_yes_and_no_of_flags_and_target_only(text, frame, contract):
    loose = pd.read_csv(io.StringIO(text))
    for name in ("Partner", "PaperlessBilling", "Churn"):
        loose[name] = loose[name] == "Yes"
    table, _ = read_raw(loose.to_parquet(index=False), "x.parquet")
    pd.testing.assert_frame_equal(parse(table, contract), frame)

    for name, column in (("tenure", "is not a number"), ("Contract", "is not one of")):
        table, _ = read_raw(loose.assign(**{name: True}).to_parquet(index=False), "x.parquet")
        with pytest.raises(InputError, match=f"Column '{name}' row 1 .*'true' {column}"):
            parse(table, contract)


def test_a_flag_that_became_a_float_is_still_a_flag(frame, contract):
    loose = frame.astype({"SeniorCitizen": "float64", "MonthlyCharges": "float32"})

    table, _ = read_raw(loose.to_parquet(index=False), "mine.parquet")
    typed = parse(table, contract)

    assert typed["SeniorCitizen"].equals(frame["SeniorCitizen"])
    assert typed["MonthlyCharges"].equals(frame["MonthlyCharges"])


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
            feather(),
            "mine.csv is an Arrow (Feather) file, not a CSV table. Write it as parquet: "
            "pandas.read_feather(FILE).to_parquet(NEW_FILE).",
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
        "feather",
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
        ("tenure", [pd.Timestamp("2024-01-01")], "timestamp[us]"),
        ("tenure", [pd.Timedelta(1)], "duration[us]"),
    ],
    ids=["list", "bytes", "time", "duration"],
)
def test_a_parquet_column_of_a_foreign_type_is_refused(name, values, kind):
    file = io.BytesIO()
    parquet.write_table(pa.table({name: values}), file)

    assert refusal(file.getvalue(), "mine.parquet") == (
        f"Column '{name}' is of parquet type '{kind}', and only texts, numbers and booleans are "
        "read. Write it as text or as a number."
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
