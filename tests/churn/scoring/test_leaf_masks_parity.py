"""Leaves ruled out by masks: the library's very bits for shallow trees, and the library for others."""

import lightgbm
import numpy as np
import pytest

from churn.models.trees.native_trees import NativeTrees
from churn.models.trees.tree_text import rows_around, trees_in
from churn.scoring.fast.leaf_masks import LeafMasks
from churn.scoring.fast.row_trees import RowTrees


def grown(seed: int, *, depth: int, trees: int = 40, **more) -> str:
    """LightGBM's text of trees over codes, whole numbers, decimals and one column without meaning."""
    generator = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            generator.integers(0, 3, 800),
            generator.integers(0, 73, 800),
            generator.normal(60, 30, 800).round(2),
            generator.uniform(-1e-30, 1e30, 800),
            np.zeros(800),
        ]
    ).astype(float)
    target = rows[:, 0] + rows[:, 1] / 20 + rows[:, 2] / 40 + generator.normal(size=800) > 4.0
    parameters = {
        "objective": "binary", "max_depth": depth, "num_leaves": 2**depth, "verbosity": -1,
        "num_threads": 1, "min_data_in_leaf": 5, "seed": seed, **more,
    }  # fmt: skip
    data = lightgbm.Dataset(rows, label=target, params=parameters)
    return lightgbm.train(parameters, data, num_boost_round=trees).model_to_string()


def customers(text: str, seed: int) -> np.ndarray:
    """Some on every side of every split, some anywhere at all."""
    anywhere = np.random.default_rng(seed).normal(0, 100, (300, 5))
    return np.concatenate([rows_around(trees_in(text), 5, 1000), anywhere, np.full((1, 5), -0.0)])


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_masks_give_the_librarys_very_bits(depth, seed):
    text = grown(seed, depth=depth)
    masks, booster = LeafMasks(trees_in(text), 5), lightgbm.Booster(model_str=text)
    rows = customers(text, seed)

    found = [masks.logit(row) for row in rows.tolist()]

    expected = booster.predict(rows, raw_score=True, num_threads=1).tolist()
    assert found == expected
    changes = [dict(enumerate(row)) for row in rows.tolist()]
    assert masks.logits_changed(rows[0].tolist(), changes, range(5)) == expected
    assert masks.logits(rows.tolist()) == expected


@pytest.mark.parametrize("many", [1, 2, 3, 8, 9])
def test_few_at_once_are_added_up_in_the_same_order_as_one_alone(many):
    text = grown(5, depth=3, trees=300)  # numpy adds long rows in pairs: not the library's order
    masks = LeafMasks(trees_in(text), 5)
    rows = customers(text, 5)[: many * 20].tolist()

    assert len(rows) == many * 20
    for start in range(0, len(rows), many):
        some = rows[start : start + many]
        alone = [masks.logit(row) for row in some]
        assert masks.logits(some) == alone
        changes = [dict(enumerate(row)) for row in some]
        assert masks.logits_changed(rows[-1], changes, range(5)) == alone


def test_trees_that_could_not_split_are_one_leaf_each():
    text = grown(1, depth=2, min_data_in_leaf=700)
    rows = [[1.0, 2.0, 3.0, 4.0, 0.0]]

    assert [RowTrees(NativeTrees(text)).logit(row) for row in rows] == lightgbm.Booster(
        model_str=text
    ).predict(np.array(rows), raw_score=True).tolist()


@pytest.mark.parametrize("otherwise", [{"depth": 5}, {"depth": 3, "zero_as_missing": True}])
def test_trees_that_masks_cannot_hold_are_asked_of_the_library(otherwise):
    text = grown(7, **otherwise)
    with pytest.raises(ValueError, match=r"leaves|missing"):
        LeafMasks(trees_in(text), 5)

    rows = np.random.default_rng(7).normal(0, 50, (50, 5))
    rows[::5, 2] = 0.0

    trees = RowTrees(NativeTrees(text))
    changes = [dict(enumerate(row)) for row in rows.tolist()]
    assert trees.logits_changed([0.0] * 5, changes, range(5)) == [
        trees.logit(row) for row in rows.tolist()
    ]
    assert trees.logits(rows.tolist()) == [trees.logit(row) for row in rows.tolist()]
    assert trees.logits([]) == []
    assert [trees.logit(row) for row in rows.tolist()] == lightgbm.Booster(model_str=text).predict(
        rows, raw_score=True, num_threads=1
    ).tolist()


def test_masks_that_disagree_with_the_library_are_not_used(monkeypatch):
    text = grown(3, depth=3)
    expected = RowTrees(NativeTrees(text)).logit([1.0, 2.0, 3.0, 4.0, 0.0])

    monkeypatch.setattr(LeafMasks, "logit", lambda _self, _values: 0.123)

    assert RowTrees(NativeTrees(text)).logit([1.0, 2.0, 3.0, 4.0, 0.0]) == expected


def test_masks_that_add_many_up_in_another_order_are_not_used(monkeypatch):
    text = grown(3, depth=3)
    expected = RowTrees(NativeTrees(text)).logits([[1.0, 2.0, 3.0, 4.0, 0.0]])

    monkeypatch.setattr(LeafMasks, "logits", lambda _self, rows: [0.1] * len(rows))

    assert RowTrees(NativeTrees(text)).logits([[1.0, 2.0, 3.0, 4.0, 0.0]]) == expected


def test_masks_that_add_copies_up_in_another_order_are_not_used(monkeypatch):
    text = grown(3, depth=3)
    row = [1.0, 2.0, 3.0, 4.0, 0.0]
    changed = RowTrees(NativeTrees(text)).logits_changed(row, [{1: 40.0}], range(5))

    monkeypatch.setattr(
        LeafMasks, "logits_changed", lambda _self, _values, changes, _places: [0.1] * len(changes)
    )

    assert RowTrees(NativeTrees(text)).logits_changed(row, [{1: 40.0}], range(5)) == changed
