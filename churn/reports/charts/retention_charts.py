"""Charts of a campaign's return: what it may earn, and what moves that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from churn.experiments.plan import ExperimentPlan
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    label_axes,
    label_rows,
    write_beside,
)
from churn.retention.roi_report import RoiReport

_MOST_BARS = 10


def retention_charts(
    roi: RoiReport, experiment: ExperimentPlan, theme: Theme = LIGHT
) -> dict[str, Callable[[], Figure]]:
    """The charts by name."""
    return {
        "profit": partial(profit_chart, roi, theme),
        "tornado": partial(tornado_chart, roi, theme),
        "looks": partial(looks_chart, experiment, theme),
    }


def profit_chart(roi: RoiReport, theme: Theme = LIGHT) -> Figure:
    """The simulated profits, with the expected one and the interval."""
    profit = roi.figure("profit")
    title = f"A loss in {roi.loss_chance:.1%} of what the assumptions allow"
    figure, axes = blank_chart(title, theme)
    counts, edges = (np.array(each, dtype=float) for each in roi.histogram)
    axes.stairs(counts / counts.sum(), edges, fill=True, color=theme.main, alpha=0.85)
    axes.axvspan(profit.lower, profit.upper, color=theme.shade, zorder=0, label="95% range")
    axes.axvline(profit.value, color=theme.ink, linestyle="--", linewidth=1, label="expected")
    axes.axvline(0, color=theme.other, linewidth=1.4, label="nothing earned")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:.0%}")
    label_axes(axes, theme, x=f"profit of the campaign, {roi.money}", y="share of the draws")
    add_legend(axes, theme, place="upper right")
    return figure


def tornado_chart(roi: RoiReport, theme: Theme = LIGHT, most: int = _MOST_BARS) -> Figure:
    """Expected profit with one assumption at a time at the ends of its 95% range."""
    bars = roi.tornado[:most]
    words = {each.name: each.title for each in roi.assumptions}
    names = [words.get(bar.assumption, bar.assumption) for bar in bars]
    figure, axes = blank_chart(
        f"What moves the profit most: {names[0]}", theme, height=1.6 + 0.5 * len(bars)
    )
    expected = roi.figure("profit").value
    for row, bar in enumerate(bars):
        for end, colour, label in (
            (bar.at_lower, theme.main, "lower end"),
            (bar.at_upper, theme.other, "upper end"),
        ):
            axes.barh(
                row, end - expected, left=expected, height=0.6, color=colour,
                label=label if row == 0 else None,
            )  # fmt: skip
    axes.axvline(expected, color=theme.ink, linewidth=1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    label_rows(axes, names)
    label_axes(axes, theme, x=f"expected profit, {roi.money}", wide=40)
    add_legend(axes, theme, place="lower right")
    return figure


def looks_chart(plan: ExperimentPlan, theme: Theme = LIGHT) -> Figure:
    """The bound that z must reach at each look."""
    title = (
        f"{len(plan.looks)} looks keep false findings at {plan.settings.alpha:.0%} over all of them"
    )
    figure, axes = blank_chart(title, theme)
    shares = [look.information for look in plan.looks]
    bounds = [look.bound for look in plan.looks]
    for sign, label in ((1, "stop"), (-1, None)):
        axes.plot(shares, [sign * each for each in bounds], "o-", color=theme.main, label=label)
    for look in plan.looks:
        write_beside(
            axes, theme, f"{look.bound:.2f}", (look.information, look.bound), offset=(0, 7)
        )
    axes.axhline(0, color=theme.faint, linewidth=1)
    axes.set_xlim(0, 1.05)
    axes.margins(y=0.15)
    axes.xaxis.set_major_formatter("{x:.0%}")
    label_axes(
        axes, theme, x="share of the outcomes that are known", y="difference, standard errors"
    )
    return figure
