"""Keeps the chatter of libraries out of sight, unless it was asked for.

Some of them read their verbosity once, when they are imported: call this first.
"""

from __future__ import annotations

import logging
import os
import warnings

_CHATTY = ("alembic", "great_expectations", "matplotlib", "mlflow", "py.warnings", "sqlalchemy")


def settle_environment() -> None:
    """What holds however much is shown: one thread a library call, nothing phoned home."""
    # Splits are fitted side by side; library threads on top of that only fight for the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for name in ("ZENML_ANALYTICS_OPT_IN", "GX_ANALYTICS_ENABLED"):
        os.environ.setdefault(name, "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MPLBACKEND", "Agg")
    # ZenML would ask git for every step's code; a run here is known by its settings and digests.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def hush(*, verbose: bool) -> None:
    """Sets how much ZenML, MLflow and the others say on the terminal."""
    settle_environment()
    os.environ["ZENML_LOGGING_VERBOSITY"] = "INFO" if verbose else "CRITICAL"
    os.environ["MLFLOW_LOGGING_LEVEL"] = "INFO" if verbose else "CRITICAL"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "false" if verbose else "true"
    os.environ.setdefault("ZENML_ENABLE_RICH_TRACEBACK", "false")
    os.environ.setdefault("ZENML_AUTO_OPEN_DASHBOARD", "false")
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "true" if verbose else "false"
    if verbose:
        logging.basicConfig(level=logging.INFO)
        return
    warnings.simplefilter("ignore")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
