"""The folder that keeps everything this project writes on this machine: CHURN_HOME, or `.churn`."""

from __future__ import annotations

import os
from pathlib import Path

from churn.root import ROOT

VARIABLE = "CHURN_HOME"
DEFAULT = ".churn"


def home(named: str | os.PathLike[str] | None = None, *, root: Path = ROOT) -> Path:
    """Returns the folder, absolute; a relative one starts from the project.

    Args:
        named: what a setting or an option names; None for what the environment names, or the default.
        root: the project.
    """
    return root / (named or os.environ.get(VARIABLE) or DEFAULT)
