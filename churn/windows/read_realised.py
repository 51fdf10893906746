"""What the ledger's outcomes say of the version that is monitored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from churn.ledger.predictions import PredictionLedger
from churn.ledger.read_outcomes import read_settled
from churn.ledger.risk_checks import RiskLedger
from churn.ledger.settled_outcomes import SettledOutcomes
from churn.monitoring.estimated_performance import Campaign
from churn.monitoring.risk_test import RiskCheck, RiskTest
from churn.settings.monitoring import MonitoringSettings
from churn.windows.consequence import average_worth
from churn.windows.opened_window import OpenedWindow, inputs_folder
from churn.windows.realised_window import (
    KnownCustomers,
    RealisedWindow,
    measure_outcomes,
    risk_after,
)

_FIRST, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Realised:
    """Outcomes of the version, measured.

    Attributes:
        window: the figures.
        known: whose outcome and inputs are known.
        settled: the outcomes for the risk test: those since its newest check, or all where it has not
            begun.
    """

    window: RealisedWindow
    known: KnownCustomers
    settled: SettledOutcomes

    def risk_after(self, newest: RiskCheck | None) -> RiskTest | None:
        """The risk test after the newest check and the outcomes since."""
        return risk_after(self.settled, newest)


def read_realised(
    options: MonitoringSettings,
    folders: dict[str, str],
    opened: OpenedWindow,
    risks: RiskLedger,
    now: datetime | None = None,
) -> Realised:
    """Measures the predictions that are due: of `outcomes.days`, and of all since the last risk check.

    Raises:
        InputError: the ledger or a file of kept inputs cannot be read.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    model, version = options.model.name, opened.scorer.version
    until = options.outcomes.due_before(moment)
    since = until - timedelta(options.outcomes.days)
    if (newest := risks.newest(model, version)) is not None:
        since = min(since, newest.until)
    with PredictionLedger(folders["ledger"]) as ledger:

        def settled_since(first: datetime) -> SettledOutcomes:
            return read_settled(
                ledger,
                first,
                _END,
                now=moment,
                timing=options.outcomes,
                model=model,
                version=version,
            )

        settled = settled_since(since)
        tested = settled_since(_FIRST) if newest is None and len(settled.target) else settled
    worth = options.value.clv
    if not isinstance(opened.reference, str):
        worth = average_worth(opened.scorer, opened.reference, options.value)
    window, known = measure_outcomes(
        settled,
        opened.scorer,
        inputs_folder(options, folders),
        Campaign(opened.scorer.threshold, np.array([worth]), options.value),
        since=since,
        until=until,
    )
    return Realised(window, known, tested)
