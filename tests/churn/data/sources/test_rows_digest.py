"""The digest of a database's rows: the values alone decide, never how they came."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from churn.data.sources.rows_digest import RowsSource


class _Rows(RowsSource):
    """A column, given out in batches of one size."""

    format = "sql"

    def __init__(self, column: pa.Array, name: str = "x") -> None:
        super().__init__("rows")
        self._batch = pa.RecordBatch.from_arrays([column], names=[name])

    def batches(self, rows):
        yield self._batch.slice(0, 0)
        for first in range(0, self._batch.num_rows, rows):
            yield self._batch.slice(first, rows)


DAY, MOMENT = date(2026, 11, 30), datetime(2026, 11, 30, 4, 30, 0, 1)  # noqa: DTZ001 - as databases have it
COLUMNS = [
    (pa.string(), ["", "a", None, "é" * 40, "ab"], "b"),
    (pa.large_string(), ["", "a", None, "é" * 40, "ab"], "b"),
    (pa.dictionary(pa.int8(), pa.string()), ["a", "b", None, "a", "b"], "b"),
    (pa.bool_(), [True, False, None, True, True], False),
    (pa.int16(), [1, -1, None, 0, 3], 2),
    (pa.int64(), [1, -(2**63), None, 0, 3], 2),
    (pa.float64(), [1.0, -0.5, None, 0.0, float("nan")], -0.0),
    (
        pa.decimal128(9, 2),
        [*map(Decimal, ("1.00", "2.50")), None, Decimal(0), Decimal(3)],
        Decimal(2),
    ),
    (pa.date32(), [DAY, DAY, None, DAY, DAY], date(2026, 11, 29)),
    (pa.timestamp("us"), [MOMENT, MOMENT, None, MOMENT, MOMENT], MOMENT.replace(microsecond=2)),
]


@pytest.mark.parametrize(("kind", "values", "other"), COLUMNS, ids=lambda each: str(each)[:12])
def test_a_digest_is_that_of_the_values_whatever_their_chunks(kind, values, other):
    column = pa.array(values, kind)
    digest = _Rows(column).digest()

    for rows in range(1, 7):
        source = _Rows(column)
        list(source.chunks(rows))
        assert source.digest() == digest
    below = pa.array([*values[:2], other, *values[3:]], kind)
    null = pa.array([False, False, True, False, False])
    assert _Rows(pc.if_else(null, pa.scalar(None, kind), below)).digest() == digest
    for place in range(5):
        changed = pa.array([*values[:place], other, *values[place + 1 :]], kind)
        assert changed.equals(column) or _Rows(changed).digest() != digest
    assert (
        _Rows(column.take(pa.array([1, 0, 2, 3, 4]))).digest() != digest or values[0] == values[1]
    )
    assert _Rows(column, "y").digest() != digest
    assert _Rows(column.slice(0, 4)).digest() != digest


def test_a_digest_sees_where_one_text_ends():
    assert _Rows(pa.array(["ab", "c"])).digest() != _Rows(pa.array(["a", "bc"])).digest()
    assert _Rows(pa.array(["", None])).digest() != _Rows(pa.array([None, ""])).digest()
