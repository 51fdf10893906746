"""The examples in docstrings run, and the most used classes and functions have one."""

import ast
import doctest
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest

MOST_USED = (
    "churn.contract.load_contract",
    "churn.data.acquire",
    "churn.evaluation.metrics.measure",
    "churn.explain.reasons.reason_codes",
    "churn.features.encoding.encode",
    "churn.features.transformer.FeatureFormulas",
    "churn.models.linear.logistic.LogisticCandidate.fit",
    "churn.promotion.decision.decide",
    "churn.retention.profit.campaign_profit",
    "churn.scoring.Scorer",
    "churn.settings.settings_file.load_settings",
)
PACKAGES = (
    "churn",
    "deployment",
    "orchestration",
    "registry",
    "runner",
    "service",
    "stacks",
    "steps",
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules_with_examples() -> list[str]:
    """Every module of ours with a `>>>` in a docstring."""
    root = Path(__file__).parents[2]
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in paths
        if ">>> " in (text := path.read_text(encoding="utf-8"))
        and any(
            ">>> " in (ast.get_docstring(node) or "")
            for node in ast.walk(ast.parse(text))
            if isinstance(node, documented)
        )
    ]


@pytest.mark.parametrize("module", modules_with_examples())
def test_the_examples_of_a_module_run(module, root, monkeypatch):
    monkeypatch.chdir(root)  # examples name the contract as a path of the repository

    result = doctest.testmod(import_module(module), optionflags=FLAGS)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", MOST_USED)
def test_the_most_used_have_an_example(name):
    described = resolve_name(name)

    assert doctest.DocTestParser().get_examples(described.__doc__ or "") != []
    assert described.__module__ in modules_with_examples()
