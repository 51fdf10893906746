"""Which code and which libraries trained a model, as far as this machine can tell."""

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

from churn.root import ROOT

_LIBRARIES = ("lightgbm", "numpy", "onnxruntime", "pandas", "scikit-learn", "zenml")


def git_commit() -> str | None:
    """The commit that is checked out, marked where files differ from it; None outside git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    commit = _asked(git, "rev-parse", "HEAD")
    changed = _asked(git, "status", "--porcelain", "--untracked-files=no")
    if not commit:
        return None
    return f"{commit} with changes" if changed else commit


def library_versions() -> dict[str, str]:
    """Installed versions of what a model's scores depend on."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _asked(git: str, *question: str) -> str:
    answer = subprocess.run(
        [git, "-C", str(ROOT), *question], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""
