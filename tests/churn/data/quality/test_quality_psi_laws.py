"""The PSI against the formula of the textbook, written slowly, and its laws."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from churn.contract import CategoryColumn, NumberColumn
from churn.data.quality.psi import shift

TERM = CategoryColumn(kind="category", name="term", meaning="Term", categories=("a", "b", "c", "d"))
CHARGE = NumberColumn(
    kind="number", name="charge", meaning="Charge", unit="USD", minimum=-1e6, maximum=1e6
)

terms = st.lists(st.sampled_from(TERM.categories), min_size=1, max_size=60)
# A size of 10k + 4 keeps deciles off the data points, where the last bit would decide a tie.
sizes = st.integers(0, 8).map(lambda tens: 10 * tens + 4)
accepted_charges = sizes.flatmap(
    lambda size: st.lists(st.integers(-50, 50), min_size=size, max_size=size)
)
charges = st.lists(st.integers(-60, 60).map(lambda value: value + 0.05), min_size=1, max_size=60)


def textbook(accepted, current, bins) -> float:
    """Siddiqi's sum over bins, half a customer added to each; no numpy."""
    before, after = Counter(accepted), Counter(current)
    total = 0.0
    for each in bins:
        was = (before[each] + 0.5) / (len(accepted) + 0.5 * len(bins))
        now = (after[each] + 0.5) / (len(current) + 0.5 * len(bins))
        total += (now - was) * math.log(now / was)
    return total


def psi(column, accepted, current) -> float:
    return shift(column, pd.Series(accepted), pd.Series(current)).psi


@given(terms, terms)
def test_categories_agree_with_the_textbook(accepted, current):
    assert psi(TERM, accepted, current) == pytest.approx(
        textbook(accepted, current, TERM.categories), abs=1e-12
    )


@given(accepted_charges, charges)
def test_numbers_agree_with_the_textbook_over_the_accepted_deciles(accepted, current):
    edges = sorted(set(statistics.quantiles(accepted, n=10, method="inclusive")))
    binned = [[bisect_right(edges, value) for value in each] for each in (accepted, current)]

    assert psi(CHARGE, [float(each) for each in accepted], current) == pytest.approx(
        textbook(*binned, range(len(edges) + 1)), abs=1e-12
    )


@given(terms, terms)
def test_it_is_symmetric_and_never_negative(one, other):
    assert psi(TERM, one, other) == pytest.approx(psi(TERM, other, one), abs=1e-12)
    assert psi(TERM, one, other) >= -1e-12


@given(accepted_charges)
def test_a_table_has_not_moved_from_itself(values):
    floats = [float(each) for each in values]

    assert psi(CHARGE, floats, floats) == 0


@given(terms, terms, st.randoms())
def test_neither_the_order_of_rows_nor_blanks_nor_unknown_values_matter(one, other, random):
    mixed = [*other, None, "elsewhere", np.nan]
    random.shuffle(mixed)

    assert psi(TERM, one, mixed) == pytest.approx(psi(TERM, one, other), abs=1e-12)


@given(accepted_charges, charges)
def test_the_unit_of_a_number_does_not_matter(accepted, current):
    one, other = np.array(accepted, dtype=float), np.array(current)

    assert psi(CHARGE, one * 4, other * 4) == pytest.approx(psi(CHARGE, one, other), abs=1e-12)


@given(terms, terms)
def test_the_mover_is_the_category_that_adds_most(one, other):
    assume(psi(TERM, one, other) > 1e-9)

    found = shift(TERM, pd.Series(one), pd.Series(other))

    def part(name: str) -> float:
        was = (one.count(name) + 0.5) / (len(one) + 2)
        now = (other.count(name) + 0.5) / (len(other) + 2)
        return (now - was) * math.log(now / was)

    assert part(found.mover) == pytest.approx(max(map(part, TERM.categories)), abs=1e-12)
    assert found.was == one.count(found.mover) / len(one)
    assert found.now == other.count(found.mover) / len(other)
