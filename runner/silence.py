"""Keeps the libraries' log messages off the terminal, unless `--verbose` is given.

Some libraries read their verbosity once, when they are imported: call this first.
"""

from __future__ import annotations

import logging
import os
import warnings

_LOGGERS = ("alembic", "great_expectations", "matplotlib", "mlflow", "py.warnings", "sqlalchemy")


def set_environment_defaults() -> None:
    """Sets environment variables that every run needs: one thread a library call, no telemetry."""
    # Splits are fitted side by side; library threads on top of that only fight for the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for name in ("ZENML_ANALYTICS_OPT_IN", "GX_ANALYTICS_ENABLED"):
        os.environ.setdefault(name, "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MPLBACKEND", "Agg")
    # ZenML would ask git for every step's code; a run here is known by its settings and digests.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def silence_libraries(*, verbose: bool) -> None:
    """Sets how much ZenML, MLflow and the others log to the terminal.

    Args:
        verbose: Whether they log as usual; otherwise only critical errors are shown.
    """
    set_environment_defaults()
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
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
