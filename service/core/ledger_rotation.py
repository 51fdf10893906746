"""Once a minute: old months leave the ledger, and what it can still grow by is measured."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import nan

from churn.errors import InputError
from churn.ledger.predictions import PredictionLedger
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_EVERY_SECONDS = 60.0


class LedgerRotation:
    """The rotation of one ledger, by whichever process comes first."""

    def __init__(
        self,
        ledger: PredictionLedger,
        metrics: RequestMetrics,
        retention_months: int,
        *others: PredictionLedger,
    ) -> None:
        """Takes the ledger to rotate, and others of this process that may have its files open."""
        self._ledger = ledger
        self._others = others
        self._metrics = metrics
        self._retention_months = retention_months
        self._next = 0.0

    def run_if_due(self) -> None:
        """Rotates if the last time was a minute ago; a failure is logged and tried again then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_SECONDS
        free = None
        now = datetime.now(UTC)
        try:
            for other in self._others:
                other.close_old_month(now)
            for name in self._ledger.rotate(now, self._retention_months):
                self._metrics.increment("ledger_months_removed")
                log("info", "ledger_month_removed", month=name)
            free = self._ledger.free_bytes()
        except Exception as error:  # noqa: BLE001 - predictions are written all the same
            reason = str(error) if isinstance(error, InputError) else type(error).__name__
            log("error", "ledger_rotation_failed", reason=reason)
        self._metrics.set_gauge("ledger_free_bytes", nan if free is None else free)
