"""Drift, scores, outcomes and ROC-AUC of a model, one below the other on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from churn.evaluation.disparities import Estimate
from churn.monitoring.alarms import WindowCheck
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    in_percent,
    label_axes,
    style_axes,
)
from churn.reports.health.health_findings import (
    auc_finding,
    drift_finding,
    headline,
    outcome_finding,
    score_finding,
)
from churn.reports.health.model_health import ModelHealth, Period

_LEAST = 1e-6
"""P-values below are drawn at it."""
_MARKERS = {"ok": "o", "watch": "^", "cannot tell": "x"}


def history_chart(health: ModelHealth, *, watch_level: float, theme: Theme = LIGHT) -> Figure:
    """Everything that happened, with alarms shaded and promotions as lines through all panels.

    Args:
        health: the history.
        watch_level: p-value at or below which a check says `watch`.
        theme: colours.
    """
    panels = [(_draw_checks, drift_finding(health), "p-value of a check")]
    if health.periods:
        panels.append((_draw_scores, score_finding(health), "probability"))
    if health.known:
        panels.append((_draw_outcomes, outcome_finding(health), "left"))
    if health.judged or any(each.estimated for each in health.periods):
        panels.append((_draw_auc, auc_finding(health), "ROC-AUC"))
    figure, only = blank_chart(headline(health), theme, height=1.2 + 2.6 * len(panels))
    only.remove()
    rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (draw, title, name) in zip(rows, panels, strict=True):
        style_axes(axes, theme, label_size=9)
        axes.set_title(title, loc="left", color=theme.ink, fontsize=10)
        draw(axes, health, theme)
        _draw_events(axes, health, theme)
        label_axes(axes, theme, x="", y=name)
    _draw_levels(rows[0], health, watch_level, theme)
    _name_versions(rows[0], health, theme)
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    rows[-1].xaxis.set_major_locator(locator)
    rows[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    rows[-1].set_xlim(*(_day(each) for each in span(health)))
    label_axes(rows[-1], theme, x="week of the predictions, UTC", y=panels[-1][2])
    return figure


def span(health: ModelHealth) -> tuple[datetime, datetime]:
    """The time that is drawn: all checks and predictions, and no change before them."""
    times = [check.checked_at for check in health.checks]
    times += [period.middle for period in health.periods]
    return min(times) - timedelta(days=5), max(times) + timedelta(days=5)


def _day(moment: datetime) -> float:
    """Matplotlib's number of a moment: days since 1970."""
    return moment.timestamp() / 86_400


def _draw_checks(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    """P-values on a log scale, the rarer the higher; what could not tell lies on the lower edge."""
    axes.set_yscale("log")
    for finding, marker in _MARKERS.items():
        found = [c for c in health.checks if c.result.finding == finding and not c.raises_alarm]
        _scatter(axes, found, theme.main, marker, finding)
    _scatter(
        axes, [c for c in health.checks if c.raises_alarm], theme.other, "s", "raises an alarm"
    )
    axes.set_ylim(2, _LEAST / 2)
    add_legend(axes, theme, place="upper left")


def _scatter(axes: Axes, checks: list[WindowCheck], colour: str, marker: str, label: str) -> None:
    if checks:
        drawn = [
            1.0 if check.result.p_value is None else max(check.result.p_value, _LEAST)
            for check in checks
        ]
        axes.plot(
            [_day(check.checked_at) for check in checks],
            drawn,
            marker,
            color=colour,
            label=label,
            ms=6,
        )


def _draw_levels(axes: Axes, health: ModelHealth, watch_level: float, theme: Theme) -> None:
    levels = [(watch_level, "watch")]
    levels += [(check.spent, "alarm") for check in health.checks[-1:] if check.spent]
    for level, name in levels:
        axes.axhline(level, color=theme.ink, linestyle="--", linewidth=0.8)
        axes.annotate(
            name, (1, level), xycoords=("axes fraction", "data"), xytext=(-3, 3),
            textcoords="offset points", ha="right", fontsize=8.5, color=theme.ink,
        )  # fmt: skip


def _draw_scores(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    weeks = health.periods
    _band(axes, weeks, [(each.low, each.high) for each in weeks], theme, "8 of 10 customers")
    _line(axes, weeks, [each.median for each in weeks], theme, "median")
    in_percent(axes, y=True)
    axes.set_ylim(0, 1)
    add_legend(axes, theme, place="upper left")


def _draw_outcomes(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    weeks = health.known
    bands = [(each.left.lower, each.left.upper) for each in weeks if each.left]
    _band(axes, weeks, bands, theme, "95% interval")
    _line(axes, weeks, [each.churned / each.outcomes for each in weeks], theme, "left")
    axes.plot(
        [_day(each.middle) for each in weeks], [each.predicted or 0.0 for each in weeks], "--",
        color=theme.other, label="predicted",
    )  # fmt: skip
    in_percent(axes, y=True)
    axes.set_ylim(bottom=0)
    add_legend(axes, theme, place="lower left")


def _draw_auc(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    """By the outcomes, and as the scores alone say."""
    weeks = [(each, each.roc_auc) for each in health.periods if each.roc_auc is not None]
    if weeks:
        bounds = [area.interval() for _, area in weeks]
        known = [week for week, _ in weeks]
        _band(axes, known, [(each.lower, each.upper) for each in bounds], theme, "95% interval")
        _line(axes, known, [area.area for _, area in weeks], theme, "by the outcomes")
    expected = [(each, each.estimated) for each in health.periods if each.estimated is not None]
    for line, label in (("--", "expected by the scores"), (":", "its 95% interval")):
        for values in _expected_lines(expected, bounds=line == ":"):
            axes.plot(
                [_day(week.middle) for week, _ in expected], values, line, color=theme.other,
                linewidth=1.4 if line == "--" else 1, label=label,
            )  # fmt: skip
            label = ""  # noqa: PLW2901 - two lines, one name
    add_legend(axes, theme, place="lower left")


def _expected_lines(expected: list[tuple[Period, Estimate]], *, bounds: bool) -> list[list[float]]:
    found = [estimate for _, estimate in expected]
    if not bounds:
        return [[each.value for each in found]]
    ranges = [each.interval for each in found]
    return [[each.lower for each in ranges], [each.upper for each in ranges]]


def _band(
    axes: Axes,
    weeks: Sequence[Period],
    bounds: list[tuple[float, float]],
    theme: Theme,
    label: str,
) -> None:
    low, high = np.array(bounds).T
    axes.fill_between(
        [_day(each.middle) for each in weeks], low, high, color=theme.main, alpha=0.22, linewidth=0,
        label=label,
    )  # fmt: skip


def _line(
    axes: Axes, weeks: Sequence[Period], values: list[float], theme: Theme, label: str
) -> None:
    axes.plot(
        [_day(each.middle) for each in weeks], values, "-o", color=theme.main, ms=3.5, label=label
    )


def _draw_events(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    """Alarms as shades from the check that raised them to their end; promotions as lines."""
    for incident in health.incidents:
        closed = incident.resolution
        until = closed.recorded_at if closed else span(health)[1]
        axes.axvspan(_day(incident.raised.checked_at), _day(until), color=theme.shade, zorder=0)
    for change in health.changes:
        axes.axvline(_day(change.recorded_at), color=theme.ink, linewidth=1)


def _name_versions(axes: Axes, health: ModelHealth, theme: Theme) -> None:
    first, last = span(health)
    for change in health.changes:
        if first <= change.recorded_at <= last:
            axes.annotate(
                f"version {change.version}", (_day(change.recorded_at), 0.36),
                xycoords=("data", "axes fraction"), xytext=(4, 0),
                textcoords="offset points", fontsize=8.5, color=theme.ink,
            )  # fmt: skip
