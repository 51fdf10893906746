"""Generated customers stand in for real ones. benchmarks/evidence_generator.py has the whole evidence."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from churn.data import accepted_snapshot
from churn.data.generator import GeneratedCustomers, GeneratorSettings, generate
from churn.data.generator.snapshot_model import SnapshotModel
from churn.features.encoding import encode, encode_target, take

TREES = {"learning_rate": 0.05, "num_leaves": 15, "verbosity": -1, "n_jobs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def real(any_contract, root):
    frame = accepted_snapshot(any_contract, root=root)
    return encode(frame, any_contract), encode_target(frame, any_contract)


@pytest.fixture(scope="module")
def halves(real, any_contract):
    """Half of the real customers, others generated from that half alone, and the other half."""
    columns, target = real
    seen, unseen = train_test_split(
        np.arange(len(target)), test_size=0.5, random_state=3, stratify=target
    )
    model = SnapshotModel.learn(take(columns, seen), target[seen], any_contract)
    made = GeneratedCustomers(any_contract, GeneratorSettings(rows=30_000), model).rows()
    sides = [(take(columns, rows), target[rows]) for rows in (seen, unseen)]
    return sides[0], (made.columns, made.target), sides[1]


def matrix(columns) -> np.ndarray:
    return np.column_stack([values.astype(float) for values in columns.values()])


def test_a_model_of_generated_rows_ranks_unseen_real_ones_like_one_of_real_rows(halves):
    seen, made, (columns, target) = halves
    areas = [
        roc_auc_score(
            target,
            lightgbm.LGBMClassifier(n_estimators=150, **TREES)
            .fit(matrix(x), y)
            .predict_proba(matrix(columns))[:, 1],
        )
        for x, y in (seen, made)
    ]

    assert areas[1] > areas[0] - 0.01


def test_a_classifier_can_hardly_say_which_rows_are_generated(halves):
    # given as many generated rows as real ones that the generator had not seen, with their outcomes
    _, (columns, outcome), (unseen, later) = halves
    made = np.column_stack([matrix(columns), outcome])[: len(later)]
    both = np.vstack([np.column_stack([matrix(unseen), later]), made])
    is_made = np.repeat([0, 1], len(later))

    # when boosted trees learn the difference
    score = np.zeros(len(both))
    for rows, rest in StratifiedKFold(5, shuffle=True, random_state=1).split(both, is_made):
        trees = lightgbm.LGBMClassifier(n_estimators=200, **TREES)
        score[rest] = trees.fit(both[rows], is_made[rows]).predict_proba(both[rest])[:, 1]

    # then they hardly find it
    assert roc_auc_score(is_made, score) <= 0.6


def test_columns_are_distributed_and_depend_on_each_other_as_in_the_snapshot(real, generated):
    columns, _ = real
    for name, values in columns.items():
        places = np.unique(values)
        shares = [
            np.searchsorted(np.sort(each), places, side="right") / len(each)
            for each in (values, generated.columns[name])
        ]
        assert np.abs(shares[0] - shares[1]).max() < 0.025, name
    ranks = [
        np.corrcoef([rankdata(values) for values in each.values()])
        for each in (columns, generated.columns)
    ]
    assert np.abs(ranks[0] - ranks[1]).max() < 0.07


def test_a_bill_is_about_its_services_prices(contract):
    columns = generate(contract, 5000).columns
    prices = sum(np.array(c.prices)[columns[c.name]] for c in contract.coded if c.prices)

    assert np.quantile(np.abs(columns["MonthlyCharges"] - prices), 0.99) < 3.5
