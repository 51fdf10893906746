"""Whether a file is a text of LightGBM's that its library can read.

The library ends the process, or never ends, at many a text that is none: it must not get to see one.
"""

from __future__ import annotations

import re

_PER_SPLIT = (
    "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
    "internal_value", "internal_weight", "internal_count",
)  # fmt: skip
_PER_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_ONCE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_NEEDED = {"num_leaves", "num_cat", "leaf_value"}
_NEEDED_OF_SPLITS = {"split_feature", "threshold", "decision_type", "left_child", "right_child"}
_WHOLE = {*_ONCE, "split_feature", "decision_type", "left_child", "right_child"} - {"shrinkage"}
_NUMBER, _WHOLE_NUMBER = r"-?(\d+(\.\d*)?(e[+-]?\d{1,4})?|inf)", r"-?\d{1,9}"
_NUMBERS = re.compile(f"{_NUMBER}( {_NUMBER})*")
_WHOLE_NUMBERS = re.compile(f"{_WHOLE_NUMBER}( {_WHOLE_NUMBER})*")
_KINDS = range(0, 16, 2)  # an odd one is a split by categories, which no recipe makes


def require_trees(text: str) -> None:
    """Checks the text of trees that split by numbers and predict one outcome.

    Raises:
        ValueError: it is none, or torn.
    """
    head, _, _ = text.partition("\nTree=")
    body, end, _ = text[len(head) + 1 :].partition("end of trees")
    header = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    outcomes = header.get("num_class"), header.get("num_tree_per_iteration")
    _require(text.isascii() and "\0" not in text, "it has other letters than ASCII's")
    _require(bool(end) and outcomes == ("1", "1"), "it is not whole, or predicts several outcomes")
    highest = _number("max_feature_idx", header)
    for name in ("feature_names", "feature_infos"):
        _require(len(header.get(name, "").split(" ")) == highest + 1, f"{name} is not complete")
    place = 0
    for number, size in enumerate(_numbers("tree_sizes", header.get("tree_sizes", ""), whole=True)):
        part = body[place : place + int(size)]
        _require(size > 0 and part.startswith(f"Tree={number}\n"), "its trees have other sizes")
        _require_tree(part.partition("\n")[2], highest)
        place += int(size)
    _require(place == len(body), "its trees have other sizes")


def _require_tree(part: str, highest: int) -> None:
    written = [line.partition("=") for line in part.rstrip("\n").split("\n")]
    lines = {name: row for name, _, row in written}
    _require(len(lines) == len(written), "a part of a tree stands twice")
    _require(lines.keys() >= _NEEDED, "a part of a tree is missing")
    leaves = _number("num_leaves", lines)
    sizes = dict.fromkeys(_PER_SPLIT, leaves - 1) | dict.fromkeys(_PER_LEAF, leaves)
    sizes |= dict.fromkeys(_ONCE, 1)
    _require(lines.keys() <= sizes.keys() and leaves > 0, "a tree has parts of another kind")
    values = {name: _numbers(name, row, whole=name in _WHOLE) for name, row in lines.items()}
    _require(values["num_cat"] == [0], "a tree splits by categories")
    _require(values.get("is_linear", [0]) == [0], "its leaves are no numbers")
    if leaves == 1:
        _require(len(values["leaf_value"]) == 1, "leaf_value has another length")
        return
    _require(lines.keys() >= _NEEDED_OF_SPLITS, "a part of a tree is missing")
    for name, row in values.items():
        _require(len(row) == sizes[name], f"{name} has another length")
    _require(set(values["decision_type"]) <= set(_KINDS), "a tree splits in an unknown way")
    features = values["split_feature"]
    _require(min(features) >= 0 and max(features) <= highest, "a tree splits by an unknown column")
    _require_connected(values["left_child"], values["right_child"])


def _require_connected(lefts: list[float], rights: list[float]) -> None:
    """Every split but the first, and every leaf, follows on one earlier split."""
    children = sorted([*lefts, *rights])
    splits = len(lefts)
    later = all(
        child < 0 or child > place
        for place, pair in enumerate(zip(lefts, rights, strict=True))
        for child in pair
    )
    expected = [*range(-splits - 1, 0), *range(1, splits)]
    _require(later and children == expected, "its splits and leaves are not connected as a tree")


def _number(name: str, lines: dict[str, str]) -> int:
    row = lines.get(name, "")
    _require(bool(re.fullmatch(_WHOLE_NUMBER, row)), f"{name} is no whole number")
    return int(row)


def _numbers(name: str, row: str, *, whole: bool) -> list[float]:
    pattern = _WHOLE_NUMBERS if whole else _NUMBERS
    fits = not row or pattern.fullmatch(row)
    _require(bool(fits), f"{name} has something else than numbers")
    return [float(value) for value in row.split()]


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(f"the text of the trees cannot be used: {otherwise}")
