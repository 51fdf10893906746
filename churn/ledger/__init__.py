"""What was decided and predicted, kept in a database: on any SQL server.

SQLite (with a write-ahead log) unless an address names another. Rows are only ever added: whoever
changes their mind adds another. SQLite refuses changes by itself; on a server, grant the service
INSERT and SELECT and nothing more.

Each name is imported on first use: decisions need the promotion gates and pandas,
predictions need neither, and the scoring service needs predictions alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from churn.ledger.database import DEFAULT_URL

if TYPE_CHECKING:
    from churn.ledger.predictions import Outcome, Prediction, PredictionLedger
    from churn.ledger.records import Approval, Ledger, RecordedDecision

__all__ = [
    "DEFAULT_URL",
    "Approval",
    "Ledger",
    "Outcome",
    "Prediction",
    "PredictionLedger",
    "RecordedDecision",
]

_PREDICTIONS = ("Outcome", "Prediction", "PredictionLedger")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    where = "predictions" if name in _PREDICTIONS else "records"
    return getattr(import_module(f"{__name__}.{where}"), name)
