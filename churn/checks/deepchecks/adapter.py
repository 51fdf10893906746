"""Imports Deepchecks so that it calls no server, logs nothing, starts no processes and changes nothing."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from churn.checks.deepchecks.numpy_aliases import numpy_aliases
from churn.errors import InputError, error_reason

_NO_CALL_HOME = "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"


@dataclass(frozen=True)
class Deepchecks:
    """The parts of the library that are used; it ships no types.

    Attributes:
        version: Version of the library.
        dataset: The class of its tables.
        suites: The module that makes its suites.
    """

    version: str
    dataset: Any
    suites: Any


@contextmanager
def load_deepchecks() -> Iterator[Deepchecks]:
    """Yields Deepchecks with its warnings, logs and extra processes turned off.

    Raises:
        InputError: it is not installed, or not as it needs to be.
    """
    import joblib

    with warnings.catch_warnings(), numpy_aliases(), joblib.parallel_config(backend="sequential"):
        # Sequential, because it would start a process per core that warns on our stderr.
        warnings.simplefilter("ignore")
        deepchecks = _load()
        with _silence():
            yield deepchecks


def _load() -> Deepchecks:
    # Read once, at import: else it asks its maker's server for a newer version, and
    # write an identity of this machine beside its own source.
    os.environ.setdefault(_NO_CALL_HOME, "True")
    try:
        # Imported here because it takes seconds of CPU, and is an extra.
        return Deepchecks(
            version=str(import_module("deepchecks").__version__),
            dataset=import_module("deepchecks.tabular").Dataset,
            suites=import_module("deepchecks.tabular.suites"),
        )
    except ImportError as error:
        reason = error_reason(error)
        raise InputError(
            f"The validation suites need Deepchecks, which cannot be loaded ({reason}): install "
            "the extra 'deep' with make setup-deep, or 'stacks' with make setup-stacks."
        ) from None


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps its log records and progress bars from the user; its import sets a level of its own."""
    logger = logging.getLogger("deepchecks")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
