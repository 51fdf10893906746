"""Laws of the intake: what is written is read back the same, and nothing but a refusal comes out."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from churn.contract import DataContract, IdColumn, NumberColumn
from churn.data import parse, read_raw
from churn.errors import InputError

# What a spreadsheet may put into an id: quotes, commas, line ends, any script; not control codes.
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), min_size=1, max_size=12
).map(lambda text: f"c{text}d")


@st.composite
def tables(draw: st.DrawFn, contract: DataContract) -> pd.DataFrame:
    """A valid typed table of 1 to 8 customers."""
    rows = draw(st.integers(1, 8))

    def many(each: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(each, min_size=rows, max_size=rows))

    columns: dict[str, Any] = {}
    for column in contract.columns:
        if isinstance(column, IdColumn):
            columns[column.name] = pd.Series(many(NAMES), dtype=object)
        elif isinstance(column, NumberColumn) and column.integer:
            whole = st.integers(-(2**53), 2**53)
            columns[column.name] = np.array(many(whole), dtype=np.int64)
        elif isinstance(column, NumberColumn):
            finite = st.floats(allow_nan=False, allow_infinity=False).map(lambda each: each + 0.0)
            columns[column.name] = np.array(many(finite), dtype=np.float64)
        else:
            dtype = pd.CategoricalDtype(list(column.categories))
            columns[column.name] = pd.Categorical(
                many(st.sampled_from(column.categories)), dtype=dtype
            )
    return pd.DataFrame(columns)


@settings(max_examples=60)
@given(data=st.data())
def test_a_table_written_as_csv_is_read_back_the_same(data, contract):
    frame = data.draw(tables(contract))
    order = data.draw(st.permutations(contract.names))
    text = frame[list(order)].to_csv(index=False, lineterminator="\n")
    line_end = data.draw(st.sampled_from(["\n", "\r\n"]))
    if "\n" not in "".join(frame[contract.id.name]):  # a line end inside a cell is the cell's own
        text = text.replace("\n", line_end)
    content = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    packed = data.draw(st.booleans())

    table, kind = read_raw(gzip.compress(content) if packed else content, "mine.csv")

    pd.testing.assert_frame_equal(parse(table, contract), frame, check_exact=True)
    assert kind == ("csv.gz" if packed else "csv")


@settings(max_examples=60)
@given(data=st.data())
def test_a_table_written_as_parquet_is_read_back_the_same(data, contract):
    frame = data.draw(tables(contract))
    order = data.draw(st.permutations(contract.names))
    plain = data.draw(st.booleans())
    written = frame[list(order)]
    if plain:  # texts instead of categories, as another program would write them
        kinds = {c.name: object for c in contract.columns if not isinstance(c, NumberColumn)}
        written = written.astype(kinds)

    table, _ = read_raw(written.to_parquet(index=False), "mine.parquet")

    pd.testing.assert_frame_equal(parse(table, contract), frame, check_exact=True)


@settings(max_examples=60)
@given(data=st.data())
def test_parsing_what_was_parsed_changes_nothing(data, contract):
    frame = data.draw(tables(contract))

    texts = pa.table({name: frame[name].astype(str).tolist() for name in frame.columns})
    once = parse(texts, contract)
    twice = parse(pa.table({n: once[n].astype(str).tolist() for n in once.columns}), contract)

    pd.testing.assert_frame_equal(twice, once, check_exact=True)


def read(content: bytes, name: str, contract: DataContract) -> None:
    """Reads and parses; a refusal is one line that ends like a sentence."""
    try:
        parse(read_raw(content, name, largest=1 << 24)[0], contract)
    except InputError as refused:
        sentence = str(refused)
        assert "\n" not in sentence
        assert sentence.endswith(".")


@settings(max_examples=300)
@given(content=st.binary(max_size=400), name=st.sampled_from(["a.csv", "a.parquet", "a.csv.gz"]))
@example(content=b'"', name="a.csv")
@example(content=b"\r", name="a.csv")
@example(content=b"\n\n,", name="a.csv")
@example(content=b"\x1f\x8b", name="a.csv.gz")
@example(content=b"PAR1PAR1", name="a.parquet")
def test_any_bytes_are_read_or_refused(content, name, contract):
    read(content, name, contract)


@settings(max_examples=300)
@given(data=st.data())
def test_a_spoilt_table_is_read_or_refused(data, contract, root):
    """Real bytes with a few changes come much further than arbitrary ones."""
    lines = (root / contract.snapshot.path).read_bytes().splitlines(keepends=True)
    content = bytearray(b"".join(lines[:4]))
    kind = data.draw(st.sampled_from(["csv", "parquet", "gzip"]))
    if kind == "gzip":
        content = bytearray(gzip.compress(bytes(content), mtime=0))
    elif kind == "parquet":
        file = io.BytesIO()
        parquet.write_table(read_raw(bytes(content), "a.csv")[0], file)
        content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        removed = data.draw(st.integers(0, 3))
        inserted = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b",", b"\n"])))
        content[place : place + removed] = inserted

    read(bytes(content), "a.parquet" if kind == "parquet" else "a.csv", contract)
