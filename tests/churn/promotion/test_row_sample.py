import numpy as np
import pytest

from churn.promotion.digests import RowDigests
from churn.promotion.row_sample import RowSample


def rows(numbers, layout="one"):
    """Digests of rows that are told apart by a number."""
    generator = np.random.default_rng(5)
    every = generator.integers(0, 2**64, size=(60_000, 2), dtype=np.uint64)
    return RowDigests(layout=layout, values=every[np.asarray(numbers, dtype=np.int64)])


@pytest.mark.parametrize("shared", [0, 686, 687, 1374])
def test_the_share_of_up_to_2048_rows_is_exact(shared):
    ours = RowSample.of(rows(np.arange(1374)))
    theirs = RowSample.of(rows(np.arange(1374 - shared, 3422 - shared)))
    assert ours.complete
    assert theirs.complete
    assert ours.share_among(theirs) == shared / 1374


@pytest.mark.parametrize("share", [0.0, 0.4, 0.6, 1.0])
def test_the_share_of_many_rows_is_close(share):
    shared = round(share * 20_000)
    ours = RowSample.of(rows(np.arange(20_000)))
    theirs = RowSample.of(rows(np.arange(20_000 - shared, 40_000 - shared)))
    assert not ours.complete
    assert len(ours.values) == 2048
    assert ours.share_among(theirs) == pytest.approx(share, abs=0.06)


def test_a_small_table_inside_a_large_one_is_found():
    ours, theirs = RowSample.of(rows(np.arange(2000))), RowSample.of(rows(np.arange(20_000)))
    assert ours.share_among(theirs) == 1.0
    assert theirs.share_among(ours) == pytest.approx(0.1, abs=0.04)


def test_what_is_not_known_is_none():
    few, many = RowSample.of(rows(np.arange(100))), RowSample.of(rows(np.arange(50_000)))
    assert few.share_among(many) is None  # some four of the hundred lie where both are known
    assert few.share_among(RowSample.of(rows(np.arange(100), layout="other"))) is None
    assert RowSample.of(rows([])).share_among(few) is None


def test_order_and_copies_change_nothing_and_json_keeps_it():
    once, twice = RowSample.of(rows(np.arange(50))), RowSample.of(rows([*range(49, -1, -1), 3, 3]))
    assert once == twice
    assert RowSample.model_validate_json(once.model_dump_json()) == once
    assert len(RowSample.of(rows(np.arange(50_000))).model_dump_json()) < 22_500


def test_customers_are_compared_by_their_ids_where_these_are_known():
    # given the same customers a month later: every row has changed, no id has
    now = rows(np.arange(1000))
    later = rows(np.arange(1000, 2000))
    ids = rows(np.arange(2000, 3000)).values
    named = [RowDigests(each.layout, each.values, customers=ids) for each in (now, later)]
    assert RowSample.of(named[0]).share_among(RowSample.of(named[1])) == 1.0
    assert RowSample.of(now).share_among(RowSample.of(later)) == 0.0
    assert RowSample.of(named[0]).share_among(RowSample.of(now)) is None
