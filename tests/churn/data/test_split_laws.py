"""Laws of the split, on generated tables of a business that is not the telco."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from churn.contract import DataContract
from churn.data.split import split_rows
from churn.errors import InputError

CONTENT: dict[str, Any] = {
    "name": "gym",
    "version": 1,
    "title": "Members of a gym",
    "columns": [
        {"name": "member", "kind": "id", "meaning": "Member", "surrogate": True},
        {
            "name": "fee",
            "kind": "number",
            "meaning": "Fee",
            "unit": "EUR",
            "minimum": -100,
            "maximum": 100,
        },
        {"name": "sauna", "kind": "flag", "meaning": "Uses the sauna"},
        {
            "name": "term",
            "kind": "category",
            "meaning": "Term",
            "categories": ["month", "year", "ever"],
        },
        {"name": "left", "kind": "target", "meaning": "Left"},
    ],
    "snapshot": {"path": "gym.csv", "sha256": "0" * 64},
    "expectations": {
        "rows": {"minimum": 1, "maximum": 50},
        "target_rate": {"minimum": 0.1, "maximum": 0.9},
        "psi_warning": 0.1,
        "psi_critical": 0.5,
    },
}
CONTRACT = DataContract.model_validate(CONTENT)
REAL = DataContract.model_validate(
    CONTENT
    | {
        "columns": [
            {"name": "member", "kind": "id", "meaning": "Member"},
            {"name": "seen_on", "kind": "date", "meaning": "Day of the row"},
            *CONTENT["columns"][1:],
        ]
    }
)

# Few different fees, so that many members are alike.
members = st.tuples(
    st.sampled_from([-0.0, 0.0, 9.5, 19.9, 40.0, -3.25]) | st.floats(-100, 100),
    st.sampled_from(["No", "Yes"]),
    st.sampled_from(["month", "year", "ever"]),
)
tables = st.lists(members, min_size=12, max_size=80)
seeds = st.integers(0, 2**32 - 1)
fractions = st.floats(0.05, 0.5)


def sides(rows, fraction, seed) -> list[bool]:
    """Whether each row is set aside."""
    frame = pd.DataFrame(
        {
            "member": [f"member-{number}" for number in range(len(rows))],
            "fee": [row[0] for row in rows],
            "sauna": [row[1] for row in rows],
            "term": [row[2] for row in rows],
            "left": ["No", *["Yes"] * (len(rows) - 1)],
        }
    )
    try:
        found = split_rows(frame, CONTRACT, gate_fraction=fraction, seed=seed)
    except InputError:
        assume(False)
    assert sorted([*found.development, *found.gate]) == list(range(len(rows)))
    assert len(found.development) > 0
    assert len(found.gate) > 0
    gate = set(found.gate)
    return [row in gate for row in range(len(rows))]


@settings(max_examples=50)
@given(tables, fractions, seeds)
def test_equal_rows_stand_together(rows, fraction, seed):
    found = {}
    twice = [*rows, *rows]
    for row, side in zip(twice, sides(twice, fraction, seed), strict=True):
        assert found.setdefault(row, side) == side


@settings(max_examples=50)
@given(tables, fractions, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_has_no_say(rows, fraction, seed, random):
    order = list(range(len(rows)))
    random.shuffle(order)

    shuffled = sides([rows[place] for place in order], fraction, seed)

    before = sides(rows, fraction, seed)
    assert shuffled == [before[place] for place in order]


@settings(max_examples=50)
@given(tables, tables, fractions, seeds)
def test_a_row_stays_on_its_side_when_others_come(rows, others, fraction, seed):
    assert sides(rows + others, fraction, seed)[: len(rows)] == sides(rows, fraction, seed)


@settings(max_examples=50)
@given(tables, st.lists(fractions, min_size=2, max_size=2), seeds)
def test_a_larger_share_takes_nobody_back(rows, two, seed):
    smaller, larger = (sides(rows, fraction, seed) for fraction in sorted(two))

    assert all(after for before, after in zip(smaller, larger, strict=True) if before)


def test_the_two_zeros_are_one_number():
    rows = [(float(fee), "No", "month") for fee in range(1, 40)]

    for seed in range(20):
        found = sides([(0.0, "No", "month"), (-0.0, "No", "month"), *rows], 0.5, seed)
        assert found[0] == found[1]


# Few members and days, so that many rows share one.
visits = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 9), members), min_size=12, max_size=60
)


def visit_sides(rows, fraction, seed) -> list[bool]:
    """Whether each visit, of a member on a day, is set aside."""
    frame = pd.DataFrame(
        {
            "member": [str(member) for member, _, _ in rows],
            "seen_on": [f"2025-01-0{day}" for _, day, _ in rows],
            "fee": [row[0] for _, _, row in rows],
            "sauna": [row[1] for _, _, row in rows],
            "term": [row[2] for _, _, row in rows],
        }
    )
    try:
        found = split_rows(frame, REAL, gate_fraction=fraction, seed=seed)
    except InputError:
        assume(False)
    assert sorted([*found.development, *found.gate]) == list(range(len(rows)))
    gate = set(found.gate)
    return [row in gate for row in range(len(rows))]


@settings(max_examples=50)
@given(visits, fractions, seeds)
def test_a_customer_never_stands_on_both_sides(rows, fraction, seed):
    found = {}
    for (member, _, _), side in zip(rows, visit_sides(rows, fraction, seed), strict=True):
        assert found.setdefault(member, side) == side


@settings(max_examples=50)
@given(visits, fractions, seeds)
def test_nobody_set_aside_was_seen_before_somebody_who_was_not(rows, fraction, seed):
    rows = [(member, day, paid) for member, (_, day, paid) in enumerate(rows)]  # a row each
    sides = visit_sides(rows, fraction, seed)
    days = {
        side: [row[1] for row, each in zip(rows, sides, strict=True) if each == side]
        for side in (True, False)
    }

    assert min(days[True]) >= max(days[False])


@settings(max_examples=50)
@given(visits, fractions, seeds, st.integers(0, 5))
def test_what_a_customer_pays_and_how_the_rows_are_ordered_has_no_say(rows, fraction, seed, shift):
    aged = [(member, day, (fee + shift, sauna, term)) for member, day, (fee, sauna, term) in rows]

    assert visit_sides(aged[::-1], fraction, seed) == visit_sides(rows, fraction, seed)[::-1]
