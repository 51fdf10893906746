"""Checks that the packages of the extra `deep` are installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from churn.errors import InputError

TRAINING = ("torch", "tabm", "onnx", "onnxruntime")
SCORING = ("onnxruntime",)
TUNING = ("optuna",)


def require_extra(what: str, modules: Sequence[str]) -> None:
    """Checks that modules of the extra `deep` can be imported; imports none of them.

    `what` needs them, and begins the sentence.

    Raises:
        InputError: one of them is not installed.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{what} needs {' and '.join(missing)}, which the extra 'deep' brings; run "
            "`make setup-deep`, or do without it."
        )
