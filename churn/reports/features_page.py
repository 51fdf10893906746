"""Page of a version of features: the catalog, what each column holds, and where it came from."""

from __future__ import annotations

from churn.feature_store.feature_statistics import ColumnStatistics
from churn.feature_store.features_result import FeaturesResult
from churn.reports.html_page import render_page

_DIGITS = 6


def render_features_page(result: FeaturesResult) -> str:
    """Renders the page; the same result gives the same page. It shows no customer."""
    holds = {each.name: _holds(each) for each in result.provenance.statistics}
    return render_page("features.html.j2", result=result, made=result.provenance, holds=holds)


def _holds(column: ColumnStatistics) -> str:
    """What a column holds, in words: shares of categories, or the span of numbers."""
    if column.counts:
        rows = sum(column.counts.values())
        return ", ".join(f"{name} {count / rows:.1%}" for name, count in column.counts.items())
    if column.mean is None:
        return f"{column.different:,} different"
    figures = {"mean": column.mean, "deviation": column.deviation or 0.0}
    span = f"{column.lowest:,.{_DIGITS}g} to {column.highest:,.{_DIGITS}g}"
    return ", ".join([span, *(f"{name} {each:,.{_DIGITS}g}" for name, each in figures.items())])
