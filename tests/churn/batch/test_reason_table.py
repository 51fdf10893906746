"""Reasons of a whole chunk are those that each customer gets alone, to the last bit."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.batch.reason_table import REASON, reason_table
from churn.batch.score_chunk import score_chunk
from churn.contract import NumberColumn, load_contract
from churn.explain.reasons import ReasonCodes

EDGES = [0.0, -0.0, 0.05, -0.05, 0.2, -0.2, 0.5, -0.5, np.nextafter(0.05, 0), np.nextafter(0.5, 0)]


def one_by_one(codes, names, columns, contributions, top):
    values = zip(*(columns[name].tolist() for name in names), strict=True)
    return [
        [vars(reason) for reason in codes.customer(one, parts, top).reasons]
        for one, parts in zip(values, contributions.tolist(), strict=True)
    ]


@pytest.mark.parametrize("top", [1, 3, 50])
def test_every_real_customer_gets_the_reasons_that_it_gets_alone(batch_scorer, telco_columns, top):
    codes, names = batch_scorer.reason_codes, batch_scorer.names
    parts = batch_scorer.scorer.contributions(telco_columns)

    found = reason_table(codes, telco_columns, parts, top)

    assert found.to_pylist() == one_by_one(codes, names, telco_columns, parts, top)
    assert found.type.value_type == REASON


@given(seed=st.integers(0, 10_000), top=st.integers(1, 5), edge=st.sampled_from(EDGES))
def test_ties_and_thresholds_fall_as_they_do_for_one(batch_scorer, telco_columns, seed, top, edge):
    codes, names = batch_scorer.reason_codes, batch_scorer.names
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 7043, 40)
    columns = {name: values[rows] for name, values in telco_columns.items()}
    width = len(batch_scorer.scorer.features)
    parts = generator.choice([*EDGES, edge, edge, 1.7], size=(40, width))

    found = reason_table(codes, columns, parts, top)

    assert found.to_pylist() == one_by_one(codes, names, columns, parts, top)


def test_a_customer_without_a_strong_contribution_has_no_reasons(batch_scorer, telco_columns):
    columns = {name: values[:3] for name, values in telco_columns.items()}
    parts = np.zeros((3, len(batch_scorer.scorer.features)))
    parts[1] = 0.6

    found = reason_table(batch_scorer.reason_codes, columns, parts, 2).to_pylist()

    assert (found[0], len(found[1]), found[2]) == ([], 2, [])


def test_texts_in_a_dictionary_are_the_texts(batch_scorer, raw_customers):
    coded = {column.name for column in batch_scorer.scorer.contract.coded}
    stored = raw_customers.slice(0, 200)
    for place, name in enumerate(stored.column_names):
        if name in coded:
            stored = stored.set_column(place, name, stored[name].dictionary_encode())

    found = score_chunk(stored, batch_scorer, first_row=1)

    expected = score_chunk(raw_customers.slice(0, 200), batch_scorer, first_row=1)
    assert found.scores == expected.scores


@pytest.mark.parametrize("contract", ["telco", "mlc_churn", "cdnow"])
def test_of_any_contract_whatever_many_different_values_stand_before_a_category(root, contract):
    known = load_contract(root / "data" / "contracts" / f"{contract}.yaml")
    generator, names = np.random.default_rng(0), [column.name for column in known.features]
    columns = {
        column.name: np.floor(generator.uniform(0, 5000, 600))
        if isinstance(column, NumberColumn)
        else generator.integers(0, len(column.categories), 600).astype(np.int8)
        for column in known.features
    }
    codes = ReasonCodes(names, known, names)
    parts = generator.normal(0, 0.5, (600, len(names)))

    found = reason_table(codes, columns, parts, 3)

    assert found.to_pylist() == one_by_one(codes, names, columns, parts, 3)


def test_where_no_column_may_be_a_reason_nobody_has_one(batch_scorer, telco_columns):
    codes = copy.copy(batch_scorer.reason_codes)
    codes.given = ()
    columns = {name: values[:4] for name, values in telco_columns.items()}
    parts = np.ones((4, len(batch_scorer.scorer.features)))

    assert reason_table(codes, columns, parts, 2).to_pylist() == [[]] * 4
