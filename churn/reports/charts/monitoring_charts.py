"""Charts of a monitoring run: how far each column moved, and every check over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    label_axes,
    label_rows,
)
from churn.reports.monitoring_report import MonitoringReport

_MOST_COLUMNS = 20
_LEAST = 1e-6  # of a p-value that is drawn


def monitoring_charts(
    report: MonitoringReport, theme: Theme = LIGHT
) -> dict[str, Callable[[], Figure]]:
    """The charts by name; those that have nothing to show are left out."""
    charts: dict[str, Callable[[], Figure]] = {}
    if report.check.columns:
        charts["columns"] = partial(columns_chart, report, theme)
    if any(each.p_value is not None for each in report.past):
        charts["checks"] = partial(checks_chart, report, theme)
    return charts


def columns_chart(report: MonitoringReport, theme: Theme = LIGHT) -> Figure:
    """Each column's PSI beside what chance alone gives."""
    shown = sorted(report.check.columns, key=lambda each: -each.psi)[:_MOST_COLUMNS]
    title = (
        f"{len(report.moved)} of {len(report.check.columns)} columns moved"
        if report.moved
        else "No column is named as moved"
    )
    figure, axes = blank_chart(title, theme, height=1.4 + 0.3 * len(shown))
    for row, column in enumerate(shown):
        moved = column.name in report.moved
        axes.barh(
            row, column.psi, height=0.62, color=theme.other if moved else theme.main, alpha=0.9
        )
    axes.plot(
        [each.psi_expected for each in shown],
        range(len(shown)),
        "|",
        color=theme.ink,
        markersize=13,
        markeredgewidth=2,
        label="by chance alone",
    )
    label_rows(axes, [f"{each.name}{' *' if each.name in report.moved else ''}" for each in shown])
    label_axes(axes, theme, x="population stability index; * moved, by online FDR")
    add_legend(axes, theme, place="lower right")
    return figure


def checks_chart(report: MonitoringReport, theme: Theme = LIGHT) -> Figure:
    """The p-value of every check, with the levels of `watch` and of an alarm."""
    known = [each for each in report.past if each.p_value is not None]
    figure, axes = blank_chart(f"{len(known)} checks; the newest run says {report.verdict}", theme)
    places = np.arange(1, len(known) + 1)
    values = [max(each.p_value or 0.0, _LEAST) for each in known]
    axes.plot(places, values, "-o", color=theme.main, linewidth=1, markersize=5, label="checks")
    raised = [place for place, each in enumerate(known) if each.raises_alarm]
    if raised:
        axes.plot(
            places[raised], [values[place] for place in raised], "s", color=theme.other,
            markersize=9, label="raised an alarm",
        )  # fmt: skip
    for level, name, line in (
        (report.watch_level, "watch", "--"),
        (report.alarm_level, "alarm", ":"),
    ):
        axes.axhline(
            level, color=theme.ink, linestyle=line, linewidth=1, label=f"{name}: {level:.2g}"
        )
    axes.set_yscale("log")
    axes.set_ylim(min(*values, report.alarm_level) / 3, 2)
    axes.set_xticks(places if len(places) <= _MOST_COLUMNS else places[:: len(places) // 10])
    label_axes(axes, theme, x="check", y="p-value")
    add_legend(axes, theme, place="lower left")
    return figure
