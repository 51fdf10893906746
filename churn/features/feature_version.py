"""Versions of features: digests of what computes them, so that equal versions mean equal values.

A version changes with a formula's code, with the code that reads columns for it, and with the
contract's columns and roles. Comments, docstrings, layout and the words about a feature change nothing.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
from functools import cache
from typing import Any

from churn.contract import DataContract
from churn.features import encoding, formula
from churn.features.feature_set import FeatureSet
from churn.features.formula import BoundFormula

_DIGITS = 12
_WORDS = frozenset({"meaning", "unit"})
_COLUMN_FIELDS = (
    "name",
    "kind",
    "roles",
    "categories",
    "no_value",
    "yes_value",
    "integer",
    "blank",
)
_SHARED = (encoding.__name__, formula.__name__)


def code_digest(source: str) -> str:
    """SHA-256 of what Python code says, whatever its comments, docstrings and layout.

    Examples:
        >>> code_digest("x = a / b  # safe") == code_digest("x = (a / b)")
        True
        >>> code_digest("x = a / b") == code_digest("x = b / a")
        False
    """
    tree = _WithoutWords().visit(ast.parse(source))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def formula_version(bound: BoundFormula) -> str:
    """The version of one engineered column, 12 hexadecimal digits."""
    definition = FeatureSet((bound,)).as_json()
    modules = (bound.formula.compute.__module__, *_SHARED)
    return _digest([definition, [_module_digest(name) for name in modules]])


def feature_set_version(contract: DataContract, features: FeatureSet) -> str:
    """The version of all features of a contract, its own columns and the engineered ones."""
    columns = [
        {key: value for key, value in each.model_dump(mode="json").items() if key in _COLUMN_FIELDS}
        for each in contract.features
    ]
    formulas = {bound.name: formula_version(bound) for bound in features.formulas}
    return _digest([columns, formulas])


@cache
def _module_digest(name: str) -> str:
    return code_digest(inspect.getsource(sys.modules[name]))


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


class _WithoutWords(ast.NodeTransformer):
    """Drops docstrings and other lone texts, and what a formula only says to people."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drops a statement that is only a text."""
        lone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if lone else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Drops a formula's meaning and unit."""
        node.keywords = [each for each in node.keywords if each.arg not in _WORDS]
        return self.generic_visit(node)
