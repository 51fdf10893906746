"""A text of trees that LightGBM's library would end the process at is refused before the library sees it."""

import re

import lightgbm
import numpy as np
import pytest

from churn.models.trees.tree_check import require_trees


def grown(**parameters):
    """LightGBM's text of three trees over four columns."""
    draw = np.random.default_rng(1)
    table = draw.normal(size=(500, 4)).round(2)
    table[:, 3] = table[:, 3] > 0
    settings = {"objective": "binary", "num_leaves": 5, "verbosity": -1, "num_threads": 1}
    data = lightgbm.Dataset(table, (table[:, 0] + table[:, 3] > 0.5).astype(float))
    booster = lightgbm.train(settings | parameters, data, num_boost_round=3)
    return str(booster.model_to_string())


@pytest.fixture(scope="module")
def text():
    return grown()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"num_leaves": 31}, {"max_depth": 1}, {"min_data_in_leaf": 400}, {"zero_as_missing": True},
     {"monotone_constraints": [1, 0, 0, 0]}, {"learning_rate": 1e-12}],
    ids=str,
)  # fmt: skip
def test_what_lightgbm_writes_is_taken(parameters):
    require_trees(grown(**parameters))


def changed(text, name, change):
    """The text with one line of its first tree, or of its head, changed, and the trees' sizes right."""
    before = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
    after = change(before[1].split(" "))
    line = f"{name}={' '.join(after)}" if after is not None else ""
    text = text[: before.start()] + line + text[before.end() :]
    return text if name == "tree_sizes" else resized(text)


def resized(text):
    body = text[text.index("Tree=0") : text.index("end of trees")]
    sizes = [str(len(part) + len("Tree=")) for part in body.split("Tree=")[1:]]
    return re.sub(
        "^tree_sizes=.*$", f"tree_sizes={' '.join(sizes)}", text, count=1, flags=re.MULTILINE
    )


def first(value):
    return lambda values: [value, *values[1:]]


def last(value):
    return lambda values: [*values[:-1], value]


def fewer(values):
    return values[:-1]


def more(values):
    return [*values, values[-1]]


def dropped(_values):
    return None


WHOLE = ("num_leaves", "left_child", "right_child", "split_feature", "decision_type")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((name, first(value)) for name in WHOLE for value in
          ("", "x", "nan", "1.5", "0x1", "-999999", "999999", "2147483648", "9" * 400)),
        *((name, change) for name in (*WHOLE[1:], "threshold", "leaf_value", "split_gain", "leaf_count")
          for change in (fewer, more)),
        *((name, dropped) for name in (*WHOLE, "threshold", "leaf_value", "num_cat")),
        ("threshold", first("x")), ("leaf_value", last("nan")), ("leaf_value", last("")),
        ("num_cat", first("1")), ("decision_type", first("3")), ("decision_type", first("16")),
        ("split_feature", first("4")), ("split_feature", first("-1")),
        ("left_child", first("0")), ("left_child", first("-1")), ("left_child", last("1")),
        ("is_linear", first("1")), ("shrinkage", first("x")),
        ("tree_sizes", first("1")), ("tree_sizes", fewer), ("tree_sizes", more),
        ("tree_sizes", first("999999")), ("tree_sizes", first("-5")), ("tree_sizes", dropped),
        ("max_feature_idx", first("3000000")), ("max_feature_idx", dropped),
        ("num_class", first("2")), ("num_tree_per_iteration", first("x")),
        ("num_tree_per_iteration", first("0")), ("feature_infos", fewer), ("feature_names", more),
    ],
)  # fmt: skip
def test_a_value_that_the_library_would_not_survive_is_refused(text, name, change):
    bad = changed(text, name, change)
    assert bad != text

    with pytest.raises(ValueError, match="the text of the trees"):
        require_trees(bad)


@pytest.mark.parametrize("line", ["", "[num_leaves: 8]", "leaf_value=1 2 3 4 5", "unknown=1"])
def test_a_line_that_a_tree_does_not_have_is_refused(text, line):
    with pytest.raises(ValueError, match="the text of the trees"):
        require_trees(resized(text.replace("num_cat=0", f"num_cat=0\n{line}", 1)))


def test_a_text_cut_anywhere_before_its_end_is_refused(text):
    for place in range(0, text.index("end of trees"), 7):
        with pytest.raises(ValueError, match="the text of the trees"):
            require_trees(text[:place])


@pytest.mark.parametrize("bad", ["", "tree\nnonsense\n", "\0", "träge", "Tree=0\nend of trees"])
def test_another_text_is_refused(bad):
    with pytest.raises(ValueError, match="the text of the trees"):
        require_trees(bad)


def test_a_zero_in_the_text_which_c_takes_for_its_end_is_refused(text):
    with pytest.raises(ValueError, match="other letters"):
        require_trees(text.replace("shrinkage", "\0hrinkage", 1))
