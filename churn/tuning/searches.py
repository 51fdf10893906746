"""All searches of one training run, together."""

from __future__ import annotations

from pydantic import Field

from churn.frozen_model import FrozenModel
from churn.tuning.search_report import TuningReport


class Searches(FrozenModel):
    """Every tuned recipe's search on the development rows.

    Attributes:
        reports: one each, in the order of the configuration.
    """

    reports: tuple[TuningReport, ...] = Field(min_length=1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result of each search."""
        return tuple(report.sentence for report in self.reports)
