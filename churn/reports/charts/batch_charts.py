"""The distribution of a batch's scores, beside the last run's."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from churn.reports.batch_report import BatchReport, ScoreDistribution
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    in_percent,
    label_axes,
)


def scores_chart(report: BatchReport, theme: Theme = LIGHT) -> Figure:
    """Share of the customers in each bin of the probability, now and in the last run."""
    now, last = report.distribution, report.last
    figure, axes = blank_chart(report.finding, theme)
    edges = np.linspace(0, 1, len(now.histogram) + 1)
    axes.stairs(
        _shares(now), edges, fill=True, color=theme.main, alpha=0.85, label=_label("this run", now)
    )
    if last is not None and len(last.histogram) == len(now.histogram):
        axes.stairs(
            _shares(last), edges, color=theme.other, linewidth=1.8, label=_label("last run", last)
        )
    axes.axvline(report.threshold, color=theme.ink, linestyle="--", linewidth=1)
    top = axes.get_ylim()[1]
    axes.annotate(
        f"action from {report.threshold:.2f} on",
        (report.threshold, top),
        xytext=(5, -12),
        textcoords="offset points",
        fontsize=9,
        color=theme.ink,
    )
    axes.set_xlim(0, 1)
    in_percent(axes, y=True)
    label_axes(axes, theme, x="probability of leaving", y="share of the customers")
    add_legend(axes, theme, place="upper right")
    return figure


def _shares(distribution: ScoreDistribution) -> np.ndarray:
    return np.array(distribution.histogram) / max(distribution.rows, 1)


def _label(run: str, distribution: ScoreDistribution) -> str:
    return f"{run}: {distribution.rows:,} customers, version {distribution.version}"
