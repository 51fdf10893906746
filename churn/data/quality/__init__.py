"""The quality gate: a Great Expectations suite generated from the data contract."""

from churn.data.quality.gate import check
from churn.data.quality.quality_report import Check, QualityReport, require

__all__ = ["Check", "QualityReport", "check", "require"]
