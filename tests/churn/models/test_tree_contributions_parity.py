"""Contributions looked up in tables are TreeSHAP's, as LightGBM walks for them; deep trees ask it."""

import re

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trees.gbm import GbmModel
from churn.models.trees.native_trees import NativeTrees
from churn.models.trees.tree_contributions import TreeContributions
from churn.models.trees.tree_text import Tree, rows_around, trees_in

ROUNDING = 1e-12
COLUMNS = ("kind", "months", "bill")


def grown(seed: int, *, depth: int, trees: int = 40, **more) -> lightgbm.Booster:
    """Trees over codes, whole numbers and decimals."""
    generator = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            generator.integers(0, 3, 800),
            generator.integers(0, 73, 800),
            generator.normal(60, 30, 800).round(2),
        ]
    ).astype(float)
    target = rows[:, 0] + rows[:, 1] / 20 + rows[:, 2] / 40 + generator.normal(size=800) > 4.0
    parameters = {
        "objective": "binary", "max_depth": depth, "num_leaves": 2**depth, "verbosity": -1,
        "num_threads": 1, "min_data_in_leaf": 5, "seed": seed, **more,
    }  # fmt: skip
    data = lightgbm.Dataset(rows, label=target, params=parameters)
    return lightgbm.train(parameters, data, num_boost_round=trees)


def tables_of(booster: lightgbm.Booster) -> TreeContributions:
    return TreeContributions(trees_in(booster.model_to_string()), booster.num_feature())


def walked(booster: lightgbm.Booster, rows: np.ndarray) -> np.ndarray:
    return booster.predict(rows, pred_contrib=True, num_threads=1)[:, :-1]


def anywhere(seed: int, rows: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(20, 60, (rows, len(COLUMNS)))


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tables_give_what_lightgbm_walks_for(depth, seed):
    booster = grown(seed, depth=depth)
    tables = tables_of(booster)
    rows = np.concatenate(
        [rows_around(trees_in(booster.model_to_string()), 3, 500), anywhere(seed)]
    )

    found = tables.many(rows)

    assert np.abs(found - walked(booster, rows)).max() < ROUNDING
    assert [tables.one(row) for row in rows.tolist()] == found.tolist()
    assert np.array_equal(tables.many(rows[:7]), found[:7])
    assert tables.many(rows[:0]).shape == (0, len(COLUMNS))


def test_a_tree_that_asks_the_same_column_twice_by_hand():
    # months <= 10? then leaf of 1.0 (100 rows), else months <= 30? 2.0 (60 rows) : 4.0 (40 rows)
    tree = Tree(
        columns=(1, 1), cuts=(10.0, 30.0), lefts=(-1, -2), rights=(1, -3), values=(1.0, 2.0, 4.0),
        split_rows=(200, 100), leaf_rows=(100, 60, 40),
    )  # fmt: skip
    mean = (100 * 1.0 + 60 * 2.0 + 40 * 4.0) / 200

    found = TreeContributions([tree], 3)

    for months, value in ((5.0, 1.0), (10.0, 1.0), (11.0, 2.0), (31.0, 4.0)):
        assert found.one([0.0, months, 0.0]) == pytest.approx([0.0, value - mean, 0.0], abs=1e-15)


def test_two_columns_share_what_only_both_bring_about_by_hand():
    # Only kind > 0 and bill > 50 together cost 1.0; half of the rows pass each, independently.
    tree = Tree(
        columns=(0, 2), cuts=(0.5, 50.0), lefts=(-1, -2), rights=(1, -3), values=(0.0, 0.0, 1.0),
        split_rows=(400, 200), leaf_rows=(200, 100, 100),
    )  # fmt: skip
    tables = TreeContributions([tree], 3)

    # Known first, kind raises 1/4 to 1/2, and bill 1/2 to 1; known second, each the other's.
    assert tables.one([1.0, 0.0, 60.0]) == pytest.approx([0.375, 0.0, 0.375])
    assert tables.one([0.0, 0.0, 60.0]) == pytest.approx([-0.375, 0.0, 0.125])
    assert tables.one([1.0, 0.0, 40.0]) == pytest.approx([0.125, 0.0, -0.375])


def test_trees_that_could_not_split_add_nothing():
    booster = grown(1, depth=2, min_data_in_leaf=700)

    assert tables_of(booster).one([1.0, 2.0, 3.0]) == [0.0, 0.0, 0.0]
    assert (tables_of(booster).many(anywhere(1)) == 0.0).all()


def model_of(booster: lightgbm.Booster) -> GbmModel:
    return GbmModel(COLUMNS, {}, 0.0, NativeTrees(booster.model_to_string()))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    depth=st.integers(1, 3),
    trees=st.integers(1, 6),
    leaf_rows=st.integers(1, 300),
    row=st.lists(
        st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.5, 1.5, 30.0]), min_size=3, max_size=3
    ),
)
def test_any_shallow_trees_give_any_customer_the_same(seed, depth, trees, leaf_rows, row):
    booster = grown(seed, depth=depth, trees=trees, min_data_in_leaf=leaf_rows)
    tables, walk = tables_of(booster), booster.predict([row], pred_contrib=True, num_threads=1)[0]

    found = tables.one(row)

    assert np.abs(np.array(found) - walk[:-1]).max() < ROUNDING
    whole = booster.predict([row], raw_score=True, num_threads=1)[0]
    assert sum(found) + walk[-1] == pytest.approx(whole, abs=ROUNDING * 10)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"depth": 5},
        {"depth": 3, "zero_as_missing": True},
        {"depth": 3, "categorical_feature": [0], "min_data_per_group": 1, "cat_smooth": 1.0},
    ],
    ids=["deep", "zero is missing", "categorical"],
)
def test_other_trees_are_asked_of_the_library(otherwise):
    booster = grown(7, **otherwise)
    with pytest.raises(ValueError, match=r"splits|split is not by a number"):
        tables_of(booster)

    rows = anywhere(7)
    model = model_of(booster)

    assert model.trees.tables is None
    found = model.contributions(dict(zip(COLUMNS, rows.T, strict=True)))
    assert np.array_equal(found, walked(booster, rows))


def test_a_text_that_does_not_count_its_rows_is_left_to_the_library():
    booster = grown(3, depth=3)
    text = "\n".join(
        "internal_count=" + re.sub(r"[1-9]", "0", line.partition("=")[2])
        if line.startswith("internal_count=")
        else line
        for line in booster.model_to_string().splitlines()
    )

    model = GbmModel(COLUMNS, {}, 0.0, NativeTrees(text))

    rows = anywhere(3)
    assert model.trees.tables is None
    found = model.contributions(dict(zip(COLUMNS, rows.T, strict=True)))
    # Which makes nothing of it either: it needs the counts, too.
    library = walked(lightgbm.Booster(model_str=text), rows)
    assert np.array_equal(found, library, equal_nan=True)


def test_tables_that_disagree_with_the_library_are_not_used(monkeypatch):
    booster = grown(3, depth=3)
    monkeypatch.setattr(
        TreeContributions, "many", lambda self, rows: np.full((len(rows), self.features), 0.5)
    )

    model = model_of(booster)

    rows = anywhere(3)
    found = model.contributions(dict(zip(COLUMNS, rows.T, strict=True)))
    assert model.trees.tables is None
    assert np.array_equal(found, walked(booster, rows))


def test_the_shipped_trees_have_tables(contract, telco_columns, telco_target):
    recipe = default_recipes()["gbm"]
    assert isinstance(recipe, GbmSettings)
    candidate = build_candidates(["gbm"], {"gbm": recipe}, contract)["gbm"]

    model = candidate.fit(telco_columns, telco_target)

    assert model.trees.tables is not None
    some = take(telco_columns, np.arange(0, 7043, 50))
    whole = model.contributions(some).sum(axis=1) + model.base
    assert np.abs(whole - model.logit(some)).max() < ROUNDING * 100
