"""Versions of the code and the libraries that train a model, as far as this machine knows them."""

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

from churn.root import ROOT

_LIBRARIES = ("lightgbm", "numpy", "onnxruntime", "pandas", "scikit-learn", "zenml")


def git_commit() -> str | None:
    """Returns the commit that is checked out, marked if files differ from it; None outside git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    commit = _git_output(git, "rev-parse", "HEAD")
    changed = _git_output(git, "status", "--porcelain", "--untracked-files=no")
    if not commit:
        return None
    return f"{commit} with changes" if changed else commit


def library_versions() -> dict[str, str]:
    """Returns the installed versions of the libraries that a model's scores depend on."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _git_output(git: str, *arguments: str) -> str:
    completed = subprocess.run(
        [git, "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return completed.stdout.strip() if completed.returncode == 0 else ""
