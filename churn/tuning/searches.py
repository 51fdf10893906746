"""All searches of one training run, together."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from churn.tuning.search_report import TuningReport


class Searches(BaseModel):
    """Every tuned recipe's search on the development rows.

    Attributes:
        reports: one each, in the order of the configuration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reports: tuple[TuningReport, ...] = Field(min_length=1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What each search came to."""
        return tuple(report.sentence for report in self.reports)
