"""The commit that trained a model is told with whether files differed from it."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from registry import code_version


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with one commit, and git in it."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    git("init", "--quiet")
    (tmp_path / "model.py").write_text("first\n")
    git("add", "model.py")
    git("commit", "--quiet", "--message", "First")
    return git


def test_the_commit_is_marked_where_files_differ_from_it(checkout, tmp_path):
    commit = checkout("rev-parse", "HEAD")

    assert code_version.git_commit() == commit
    (tmp_path / "model.py").write_text("second\n")
    assert code_version.git_commit() == f"{commit} with changes"


def test_outside_git_and_before_the_first_commit_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(code_version, "ROOT", tmp_path)

    assert code_version.git_commit() is None
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert code_version.git_commit() is None


def test_the_libraries_behind_a_score_are_listed_with_their_versions():
    versions = code_version.library_versions()

    assert {"lightgbm", "numpy", "scikit-learn", "zenml"} <= set(versions)
    assert versions["numpy"] == np.__version__
