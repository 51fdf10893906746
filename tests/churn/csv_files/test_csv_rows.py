"""CSV text is checked as a whole and walked row by row, without a library for tables."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from churn.csv_files.csv_rows import plain_text, read_rows
from churn.errors import InputError


@pytest.mark.parametrize("hint", [b"sep=,", b'"sep=,"', b"SEP=,", b"\xef\xbb\xbfsep=,", b"sep=,,,"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_excels_hint_goes_and_its_line_stays(hint, end):
    assert plain_text(hint + end + b"a,b", "x.csv") == end + b"a,b"


@pytest.mark.parametrize("text", [b"a,b\nsep=,\n", b"separate,b\n", b"a\n", "ä,b\n".encode()])
def test_other_text_stays_as_it_is(text):
    assert plain_text(text, "x.csv") == text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x.csv is empty"),
        (b"sep=;\na;b\n1;2\n", "x.csv is separated by semicolons, not by commas"),
        (b"a\tb\n", "x.csv is separated by tabs"),
        (b"a,b\n1,\0\n", "x.csv has a NUL byte on line 2"),
        (b"a,b\n1,2\n\xff,3\n", "x.csv is not UTF-8 on line 3"),
        (b'[{"a": 1}]', "x.csv is a JSON document, not a CSV table"),
    ],
)
def test_what_is_no_comma_separated_text_is_named(content, sentence):
    with pytest.raises(InputError, match=sentence):
        plain_text(content, "x.csv")


def test_rows_come_with_the_line_they_start_on():
    lines = io.StringIO('a,b\n\n"1\n2",3\r\n4,5', newline="")

    assert list(read_rows(lines, "x.csv")) == [
        (1, ["a", "b"]),
        (2, []),
        (3, ["1\n2", "3"]),
        (5, ["4", "5"]),
    ]


@pytest.mark.parametrize("row", ['"1,2\n3,4\n', '"1"2,3\n'])
def test_a_row_with_a_stray_quote_is_refused_with_its_line(row):
    lines = io.StringIO("a,b\n" + row)

    with pytest.raises(InputError, match=r"x\.csv line 2: the row cannot be read as CSV"):
        list(read_rows(lines, "x.csv"))


def test_a_service_reads_it_without_a_library_for_tables():
    code = "import sys, churn.csv_files.csv_rows; print({'pandas', 'pyarrow', 'numpy'} & {*sys.modules})"

    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert output.stdout.strip() == "set()"
