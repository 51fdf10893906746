"""A batch's body is cut into rows that are counted before they are decoded, and no row spoils another."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api import batch_body
from service.api.batch_body import RowLimits, collect_rows, in_slices, split_array, split_lines
from service.api.problems import ProblemError

LIMITS = RowLimits(rows=100, row_bytes=200)
BOM = b"\xef\xbb\xbf"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(rows=st.lists(json_values, max_size=6), indent=st.sampled_from([None, 1]))
def test_the_rows_of_any_array_are_found(rows, indent):
    body = json.dumps(rows, indent=indent).encode()  # NaN and infinity among them

    found = list(split_array(BOM + body, RowLimits(100, 10_000)))

    assert [repr(json.loads(row)) for row in found] == [repr(row) for row in rows]


@given(rows=st.lists(json_values, max_size=6), blank=st.sampled_from(["", " ", "\r", "\n\n"]))
def test_the_rows_of_any_lines_are_found(rows, blank):
    body = f"\n{blank}\n".join(map(json.dumps, rows)).encode()

    found = list(split_lines(BOM + body, RowLimits(100, 10_000)))

    assert [repr(json.loads(row)) for row in found] == [repr(row) for row in rows]


@pytest.mark.parametrize(
    "row",
    [b"NaN", b'{"a": NaN}', b'{"a": 1,}', b'{"a" 1}', b'{"a": "\\ud800"}', b"[[[[[[[[[[]]]]]]]]]]",
     b'{"a": "\xff"}', b"1" * 200, b'{"a": "]},{[\\"\\\\"}', b'{"a": {"b": [{}]}}', b"tru", b"-"],
)  # fmt: skip
def test_a_row_that_is_no_json_ends_where_it_would(row):
    assert list(split_array(b"[ 1 ," + row + b"\n, {} ]\n", LIMITS)) == [b"1", row, b"{}"]


@pytest.mark.parametrize(
    ("body", "row", "fault"),
    [
        (b'[{"a": 1}, {"a": 2', 2, "the body ends within it"),
        (b'[{"a": 1}, {"a": "2}]', 2, "the body ends within it"),
        (b'[{"a": 1}, {"a": {"b": 2}]', 2, "the body ends within it"),
        (b'[{"a": 1}, ', 2, "the body ends within it"),
        (b"[", 1, "the body ends within it"),
        (b'[{"a": 1}', 1, "the body ends within it"),
        (b'[{"a": [1}, {"a": 2}]', 1, "the body ends within it"),
        (b'[{"a": 1}{"a": 2}]', 1, "its end cannot be found"),
        (b'[{"a": 1},]', 2, "its end cannot be found"),
        (b"[,1]", 1, "its end cannot be found"),
        (b'[{"a": 1}] 7', 2, "its end cannot be found"),
        (b"[]]", 1, "its end cannot be found"),
    ],
)
def test_an_array_whose_rows_have_no_clear_end_is_refused_whole(body, row, fault):
    with pytest.raises(ProblemError, match=f"row {row}, from byte .*; {fault}") as refused:
        list(split_array(body, LIMITS))

    assert refused.value.status == 400


@pytest.mark.parametrize("more", [0, 1])
def test_a_row_of_endless_brackets_is_not_walked_to_its_end(more):
    limits = RowLimits(rows=100, row_bytes=100_000)
    inner = b"[" + b",".join([b"{}"] * (500 + more)) + b"]"  # two steps each
    body = b"[1, " + inner + b"]"

    if not more:
        assert list(split_array(body, limits)) == [b"1", inner]
        return
    with pytest.raises(ProblemError, match="Row 2 holds hundreds of lists") as refused:
        list(split_array(body, limits))
    assert refused.value.status == 422


@pytest.mark.parametrize("split", [split_array, split_lines])
@pytest.mark.parametrize("shape", [b'{"a": "%s"}', b'{"a": [%s]}', b'"%s"', b"%s"])
def test_a_row_may_have_the_bytes_of_one_customer_and_no_more(split, shape):
    for more in (0, 1):
        row = shape % (b"1" * (LIMITS.row_bytes + more - len(shape % b"")))
        body = b"[1, " + row + b"]" if split is split_array else b"1\n" + row
        if not more:
            assert list(split(body, LIMITS)) == [b"1", row]
            continue
        with pytest.raises(ProblemError, match="Row 2 is larger than the 200 bytes") as refused:
            list(split(body, LIMITS))
        assert refused.value.status == 413


@pytest.mark.parametrize("split", [split_array, split_lines])
def test_as_many_rows_as_allowed_are_taken_and_no_more_are_read(split):
    def rows(count):
        body = b"[" + b",".join([b"1"] * count) + b"]" if split is split_array else b"1\n" * count
        return asyncio.run(collect_rows(split(body, LIMITS), LIMITS))

    assert rows(LIMITS.rows) == [b"1"] * LIMITS.rows
    with pytest.raises(ProblemError, match="more than the 100 rows allowed") as refused:
        rows(LIMITS.rows + 1)
    assert refused.value.status == 413


def test_a_body_of_endless_rows_is_left_when_there_are_too_many():
    read = []

    def rows():
        for _ in range(1_000_000):
            read.append(1)
            yield b"1"
        pytest.fail("all are read")

    with pytest.raises(ProblemError):
        asyncio.run(collect_rows(rows(), LIMITS))
    assert len(read) > LIMITS.rows


def test_others_are_answered_between_slices(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(batch_body, "perf_counter", lambda: next(clock))  # a second between looks
    between = []

    async def run():
        async def other():
            while True:
                between.append(len(between))
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        parts = [part async for part in in_slices(range(4))]
        task.cancel()
        return parts

    parts = asyncio.run(run())

    assert [item for part in parts for item in part] == [0, 1, 2, 3]
    assert len(between) >= 4


def test_each_pass_of_the_loop_makes_one_slice_however_many_are_made_of(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(batch_body, "perf_counter", lambda: next(clock))  # a second between looks
    made = []

    async def run():
        passes = 0

        async def count_passes():
            nonlocal passes
            while True:
                passes += 1
                await asyncio.sleep(0)

        def items():
            for _ in range(5):
                made.append(passes)
                yield passes

        async def consume():
            return [part async for part in in_slices(items())]

        counting = asyncio.create_task(count_passes())
        await asyncio.gather(*(consume() for _ in range(10)))
        counting.cancel()

    asyncio.run(run())

    assert len(made) == 50
    assert len(set(made)) == 50


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"instances": []}', "'instances' is no field but a wrapper, of TensorFlow Serving"),
        (b' { "dataframe_split" : {}}', "'dataframe_split' is no field but a wrapper, of MLflow"),
        (b'{"tenure": 1}', "The batch is no JSON array"),
        (b"7", "The batch is no JSON array"),
        (b"", "The batch is no JSON array"),
    ],
)
def test_what_is_no_array_is_named(body, sentence):
    with pytest.raises(ProblemError, match=sentence) as refused:
        list(split_array(body, LIMITS))

    assert refused.value.status == 422


@pytest.mark.parametrize("row", [b'{"a": "', b'{"a": [', b'["', b'{"a": {'])
def test_a_row_without_end_is_left_once_it_is_too_large(row):
    with pytest.raises(ProblemError, match="Row 1 is larger") as refused:
        list(split_array(b"[" + row + b"1" * LIMITS.row_bytes, LIMITS))

    assert refused.value.status == 413
