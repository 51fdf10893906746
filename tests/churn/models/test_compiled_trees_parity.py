"""Compiled trees give LightGBM's very bits for whole columns; what they cannot do stays the library's."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.models.trees import tree_loops
from churn.models.trees.compiled_trees import CompiledContributions, CompiledTrees
from churn.models.trees.native_trees import NativeTrees
from churn.models.trees.tree_contributions import TreeContributions
from churn.models.trees.tree_text import rows_around, trees_in

pytest.importorskip("llvmlite", reason="the extra 'batch' is not installed")

EDGES = [0.0, -0.0, 0.5, 1.5, 1e-35, -1e-36, 1e300, -1e300, np.inf, -np.inf, np.nan]


def grown(seed: int, *, depth: int = 3, trees: int = 40, missing: bool = False, **more) -> str:
    """LightGBM's text of trees over codes, whole numbers, decimals and one column without meaning."""
    generator = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            generator.integers(0, 3, 800),
            generator.integers(0, 73, 800),
            generator.normal(60, 30, 800).round(2),
            np.zeros(800),
        ]
    ).astype(float)
    target = rows[:, 0] + rows[:, 1] / 20 + rows[:, 2] / 40 + generator.normal(size=800) > 4.0
    if missing:
        rows[::7, 2] = np.nan
    parameters = {
        "objective": "binary", "max_depth": depth, "num_leaves": 2**depth, "verbosity": -1,
        "num_threads": 1, "min_data_in_leaf": 5, "seed": seed, **more,
    }  # fmt: skip
    data = lightgbm.Dataset(rows, label=target, params=parameters)
    return lightgbm.train(parameters, data, num_boost_round=trees).model_to_string()


def customers(text: str, seed: int, rows: int) -> np.ndarray:
    """Half on the sides of the splits, half anywhere at all."""
    near = rows_around(trees_in(text), 4, rows - rows // 2)
    anywhere = np.random.default_rng(seed).normal(0, 100, (rows // 2, 4))
    return np.concatenate([near, anywhere])


def library(text: str, rows: np.ndarray) -> list[float]:
    return lightgbm.Booster(model_str=text).predict(rows, raw_score=True, num_threads=1).tolist()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    depth=st.integers(1, 3),
    trees=st.integers(1, 60),
    leaf_rows=st.integers(1, 400),
    missing=st.booleans(),
    count=st.sampled_from([1, 2, 255, 256, 257, 700]),
    row=st.lists(st.floats(-1e6, 1e6) | st.sampled_from(EDGES), min_size=4, max_size=4),
)
def test_any_shallow_trees_give_any_customers_the_librarys_bits(
    seed, depth, trees, leaf_rows, missing, count, row
):
    text = grown(seed, depth=depth, trees=trees, missing=missing, min_data_in_leaf=leaf_rows)
    rows = customers(text, seed, count)
    rows[-1] = row
    loaded = NativeTrees(text)

    assert loaded.compile(contributions=True)

    assert loaded.logits(rows).tolist() == library(text, rows)
    finite = rows[np.isfinite(rows).all(axis=1)]
    assert np.array_equal(loaded.contributions(finite), NativeTrees(text).contributions(finite))


def test_the_order_of_the_matrix_in_memory_changes_nothing():
    text = grown(1)
    rows = customers(text, 1, 1001)
    loaded = NativeTrees(text)
    loaded.compile(contributions=True)

    assert loaded.logits(np.asfortranarray(rows)).tolist() == loaded.logits(rows).tolist()
    assert loaded.logits(rows[::-1])[::-1].tolist() == loaded.logits(rows).tolist()
    assert loaded.logits(rows[:0]).shape == (0,)
    assert loaded.contributions(rows[:0]).shape == (0, 4)


def test_compiled_trees_are_what_scores(monkeypatch):
    loaded = NativeTrees(grown(2))
    rows = customers(loaded.text, 2, 400)
    expected = loaded.logits(rows).tolist()
    assert loaded.compile(contributions=True)

    def refuse(*_):
        raise AssertionError("the library was asked")

    monkeypatch.setattr(NativeTrees, "_predict", refuse)
    monkeypatch.setattr(TreeContributions, "many", refuse)

    assert loaded.logits(rows).tolist() == expected
    assert loaded.contributions(rows).shape == (400, 4)
    rows[3, 1] = np.nan
    with pytest.raises(AssertionError, match="the library was asked"):
        loaded.logits(rows)


def test_another_width_is_refused_before_memory_is_read():
    loaded = NativeTrees(grown(2))
    loaded.compile(contributions=True)

    with pytest.raises(ValueError, match="look at 4 columns, not at 3"):
        loaded.logits(np.zeros((300, 3)))


@pytest.mark.parametrize(
    "otherwise",
    [
        {"depth": 4},
        {"depth": -1, "num_leaves": 8},  # eight leaves, but more than three levels
        {"zero_as_missing": True},
        {"categorical_feature": [0], "min_data_per_group": 1, "cat_smooth": 1.0},
        {"linear_tree": True},
    ],
    ids=["deep", "lopsided", "zero is missing", "categorical", "linear"],
)
def test_other_trees_stay_with_the_library(otherwise):
    text = grown(7, **otherwise)
    rows = customers(grown(7), 7, 500)
    rows[::5, 2] = np.nan
    loaded = NativeTrees(text)

    assert not loaded.compile(contributions=True)

    assert loaded.logits(rows).tolist() == library(text, rows)


def test_without_llvmlite_the_library_scores(monkeypatch):
    tree_loops.leaves_loop.cache_clear()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    text = grown(3)
    rows = customers(text, 3, 300)
    loaded = NativeTrees(text)

    assert not loaded.compile(contributions=True)

    assert loaded.logits(rows).tolist() == library(text, rows)


def test_compiled_trees_that_disagree_with_the_library_are_not_used(monkeypatch):
    text = grown(3)
    rows = customers(text, 3, 300)
    monkeypatch.setattr(CompiledTrees, "__call__", lambda _self, matrix: np.zeros(len(matrix)))
    loaded = NativeTrees(text)

    assert not loaded.compile(contributions=True)

    assert loaded.logits(rows).tolist() == library(text, rows)


def test_compiled_contributions_that_disagree_with_the_tables_are_not_used(monkeypatch):
    monkeypatch.setattr(
        CompiledContributions, "__call__", lambda _self, matrix: np.zeros(matrix.shape)
    )

    assert not NativeTrees(grown(3)).compile(contributions=True)


def test_nothing_that_scores_imports_llvmlite_until_a_batch_compiles():
    code = (
        "import sys, numpy, churn.scoring, service.api.__main__, service.stream.__main__\n"
        "from churn.models.trees.native_trees import NativeTrees\n"
        "trees = NativeTrees(sys.stdin.read())\n"
        "trees.logits(numpy.zeros((100_000, 4))), trees.contributions(numpy.zeros((500, 4)))\n"
        "print('llvmlite' in sys.modules, trees.compile(), 'llvmlite' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], input=grown(1), capture_output=True, text=True, check=True
    )

    assert output.stdout.split() == ["False", "True", "True"]
