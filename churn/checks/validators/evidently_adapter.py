"""Imports Evidently so that it calls no server and warns of nothing; says how to install it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from churn.errors import InputError, error_reason

_NO_CALL_HOME = {"DO_NOT_TRACK": "1", "EVIDENTLY_DISABLE_TELEMETRY": "1"}


@dataclass(frozen=True)
class Evidently:
    """The parts of the library that are used; its own types are loose enough to be Any here.

    Attributes:
        version: Version of the library.
        top: The package itself: reports, datasets, their definition.
        metrics: The module of its metrics.
    """

    version: str
    top: Any
    metrics: Any


@contextmanager
def load_evidently() -> Iterator[Evidently]:
    """Yields Evidently with its warnings turned off.

    Raises:
        InputError: it is not installed, or not as it needs to be.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield _load()


def _load() -> Evidently:
    # Read when an event would be sent; its reports send none, its user interface does.
    for name, value in _NO_CALL_HOME.items():
        os.environ.setdefault(name, value)
    try:
        # Imported here because it takes seconds of CPU, and is an extra.
        top = import_module("evidently")
        return Evidently(str(top.__version__), top, import_module("evidently.metrics"))
    except ImportError as error:
        reason = error_reason(error)
        raise InputError(
            f"The stack's validator needs Evidently, which cannot be loaded ({reason}): install "
            "the extra 'stacks' with make setup-stacks."
        ) from None
