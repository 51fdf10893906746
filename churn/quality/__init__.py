"""The quality gate: a Great Expectations suite generated from the data contract."""

from churn.quality.gate import check
from churn.quality.page import render_html
from churn.quality.report import Check, QualityReport, require

__all__ = ["Check", "QualityReport", "check", "render_html", "require"]
