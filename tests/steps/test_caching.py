"""A cached result falls when the code behind it changes, and only then."""

from __future__ import annotations

import shutil

import pytest

from steps import caching


@pytest.fixture
def tree(root, tmp_path, monkeypatch):
    """A copy of the code that results depend on, which a test may change."""
    for package in ("churn", "deployment", "registry", "steps", "materializers"):
        shutil.copytree(
            root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(root / "requirements.lock", tmp_path)
    monkeypatch.setattr(caching, "ROOT", tmp_path)
    return tmp_path


def digest() -> str:
    return caching.code_digest.__wrapped__()


def test_equal_code_has_an_equal_digest_wherever_it_lies(tree):
    assert digest() == caching.code_digest()


@pytest.mark.parametrize(
    "changed",
    [
        "churn/models/blend.py",
        "churn/reports/templates/training.html.j2",
        "churn/reports/templates/base.html.j2",
        "steps/modelling/train_model.py",
        "materializers/report_materializer.py",
        "requirements.lock",
    ],
)
def test_a_changed_file_changes_it(tree, changed):
    before = digest()

    (tree / changed).write_text((tree / changed).read_text() + "\n")

    assert digest() != before


def test_a_new_file_a_lost_one_and_a_moved_one_change_it(tree):
    seen = [digest()]

    (tree / "churn" / "models" / "forest.py").write_text("")
    seen.append(digest())
    (tree / "churn" / "models" / "forest.py").rename(tree / "churn" / "forest.py")
    seen.append(digest())
    (tree / "churn" / "models" / "blend.py").unlink()
    seen.append(digest())

    assert len(set(seen)) == 4


def test_what_no_result_depends_on_changes_nothing(tree):
    before = digest()

    (tree / "churn" / "__pycache__").mkdir()
    (tree / "churn" / "__pycache__" / "split.cpython-311.pyc").write_bytes(b"\0")
    (tree / "docs").mkdir()
    (tree / "docs" / "run.py").write_text("")

    assert digest() == before


def test_it_is_part_of_what_zenml_caches_by():
    from zenml.utils.source_utils import load

    assert caching.CODE_AWARE.cache_func is not None
    assert load(caching.CODE_AWARE.cache_func) is caching.code_digest
