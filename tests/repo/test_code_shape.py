"""Functions fit a screen, calls name their arguments, and every tool says why it is our own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = (
    "benchmarks",
    "churn",
    "deployment",
    "materializers",
    "orchestration",
    "pipelines",
    "registry",
    "runner",
    "service",
    "stacks",
    "steps",
    "tools",
)
MOST_LINES = 40
MOST_ARGUMENTS = 8


@pytest.fixture(scope="module")
def trees(root: Path) -> dict[str, ast.Module]:
    """Place of a Python file -> its syntax tree."""
    paths = [root / "run.py", *(path for name in PACKAGES for path in (root / name).rglob("*.py"))]
    assert len(paths) > 300
    return {
        path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function, clean=False) else None
    said = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - said


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def positional_arguments(call: ast.Call) -> int:
    """How many a reader counts: a starred literal by its elements."""
    return sum(
        len(each.value.elts)
        if isinstance(each, ast.Starred) and isinstance(each.value, ast.Tuple | ast.List)
        else 1
        for each in call.args
    )


def test_no_function_is_longer_than_a_screen(trees):
    long = {
        f"{place}: {function.name}": lines_of(function)
        for place, tree in trees.items()
        for function in functions(tree)
        if lines_of(function) > MOST_LINES
    }

    assert long == {}


def test_no_call_has_more_positional_arguments_than_a_reader_counts(trees):
    many = [
        f"{place}:{node.lineno}"
        for place, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and positional_arguments(node) > MOST_ARGUMENTS
    ]

    assert many == []


def test_a_starred_literal_counts_its_elements():
    texts = ("f(1, *(2, 3), *rest)", "f(*[1, 2])")

    calls = [node.value for text in texts for node in ast.parse(text).body]

    assert [positional_arguments(call) for call in calls] == [4, 2]


def test_a_docstring_does_not_count_and_a_body_does():
    text = 'def documented():\n    """One.\n\n    Two.\n    """\n    return 1\n'

    (function,) = functions(ast.parse(text))

    assert lines_of(function) == 2


def test_every_tool_says_what_no_library_does(trees):
    tools = {place: tree for place, tree in trees.items() if place.startswith("tools/")}

    assert len(tools) > 5
    assert [
        p for p, tree in tools.items() if "No library does it: " not in ast.get_docstring(tree)
    ] == []
