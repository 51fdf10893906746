"""One table however it was saved: line ends, compression, types of parquet."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from churn.data import parse, read_raw
from churn.errors import InputError
from churn.root import ROOT


@pytest.fixture(scope="module")
def parquet_bytes(frame) -> bytes:
    return frame.to_parquet(index=False)


def refusal(content: bytes, name: str = "mine.csv", **limits) -> str:
    with pytest.raises(InputError) as caught:
        read_raw(content, name, **limits)
    return str(caught.value)


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


# In a process of its own that never stops to trace: Arrow's threads may still allocate, and Python
# 3.11's tracemalloc.stop() then crashes (CPython issue 128679); goes with Python 3.11.
MEASURED_READING = """
import os, sys, tracemalloc
from churn.data import read_raw
from churn.errors import InputError
content = open(sys.argv[1], "rb").read()
tracemalloc.start()
try:
    read_raw(content, "bomb.csv", largest=1 << 20)
except InputError as error:
    print(error, tracemalloc.get_traced_memory()[1], sep="\\n", flush=True)
os._exit(0)
"""
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
def test_a_compressed_bomb_is_refused_before_it_unpacks(suffix, tmp_path):
    bomb = tmp_path / "bomb.csv"
    bomb.write_bytes(PACKED[suffix](b"0" * (64 << 20)))

    done = subprocess.run(
        [sys.executable, "-c", MEASURED_READING, str(bomb)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip

    sentence, peak = done.stdout.splitlines()
    assert sentence == (
        "bomb.csv unpacks to more than 1,048,576 bytes, and no table read here may. Split it."
    )
    assert int(peak) < 16 << 20  # xz itself takes eight


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
