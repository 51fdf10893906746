"""Charts of a table that was explored, each under a title that states its finding."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from churn.exploration.breakdown import LEAST_ROWS, Breakdown, Group
from churn.exploration.interactions import PairInteraction
from churn.exploration.survival import SurvivalCurve
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    draw_estimate,
    in_percent,
    label_axes,
    label_rows,
)

_MARKERS = "osD^vP"
_LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
_ROW = 0.42
_LONGEST = 34
_SHOWN = 20


def ranking_chart(ranked: Sequence[Breakdown], overall: float, theme: Theme = LIGHT) -> Figure:
    """The lowest and the highest churn ratio by every column, in the given order."""
    shown = ranked[:_SHOWN]
    figure, axes = blank_chart(_ranking_title(ranked), theme, height=1.6 + 0.3 * len(shown))
    for place, found in enumerate(shown):
        ends = [found.lowest.ratio.value, found.highest.ratio.value]
        axes.plot(ends, [place, place], color=theme.faint, linewidth=2, zorder=1)
        axes.plot(ends[0], place, "o", color=theme.main, markersize=6)
        axes.plot(ends[1], place, "D", color=theme.other, markersize=6)
    axes.axvline(overall, color=theme.ink, linewidth=0.8, linestyle="--")
    label_rows(axes, [_short(found.column) for found in shown], above=0.7, below=0.4)
    in_percent(axes, x=True)
    label_axes(axes, theme, x="left: circle lowest group, diamond highest, dashed all customers")
    return figure


def breakdown_chart(found: Breakdown, overall: float, theme: Theme = LIGHT) -> Figure:
    """The churn ratio in every group of a column, with Wilson's intervals."""
    shown = _largest(found.groups)
    figure, axes = blank_chart(found.finding, theme, height=1.5 + _ROW * len(shown))
    axes.axvline(overall, color=theme.ink, linewidth=0.8, linestyle="--")
    for place, group in enumerate(shown):
        ratio = group.ratio
        draw_estimate(
            axes,
            theme,
            (ratio.value, place),
            ratio.interval,
            text=f"{ratio.value:.1%}",
            colour=theme.main,
        )
    label_rows(axes, [f"{_short(group.label)}\n{group.rows:,} customers" for group in shown])
    in_percent(axes, x=True)
    label_axes(axes, theme, x="left, with 95% interval; dashed: all customers")
    return figure


def trend_chart(found: Breakdown, overall: float, theme: Theme = LIGHT) -> Figure:
    """The churn ratio over the bands of a number, with Wilson's intervals."""
    figure, axes = blank_chart(found.finding, theme)
    places = np.arange(len(found.groups))
    ratios = [group.ratio for group in found.groups]
    axes.axhline(overall, color=theme.ink, linewidth=0.8, linestyle="--")
    axes.fill_between(
        places,
        [ratio.interval.lower for ratio in ratios],
        [ratio.interval.upper for ratio in ratios],
        color=theme.main,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(places, [ratio.value for ratio in ratios], "o-", color=theme.main, markersize=5)
    axes.set_xticks(places, [g.label.replace(" to ", "\nto\n") for g in found.groups])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylim(bottom=0)
    in_percent(axes, y=True)
    unit = f", {found.unit}" if found.unit else ""
    label_axes(axes, theme, x=f"{found.column}{unit}; bands of about as many customers", y="left")
    return figure


def survival_chart(
    curves: Sequence[SurvivalCurve], unit: str, theme: Theme = LIGHT, *, by: str = ""
) -> Figure:
    """The share of customers still there by tenure, with 95% bands."""
    figure, axes = blank_chart(survival_finding(curves, unit, by), theme)
    colours = (theme.main, theme.other, theme.ink)
    for place, curve in enumerate(curves[: len(_LINES)]):
        colour = colours[place % len(colours)]
        times, kept = np.r_[0.0, curve.times], np.r_[1.0, curve.survival]
        lower, upper = np.r_[1.0, curve.lower], np.r_[1.0, curve.upper]
        axes.fill_between(times, lower, upper, step="post", color=colour, alpha=0.2, linewidth=0)
        axes.step(
            times, kept, where="post", color=colour, linestyle=_LINES[place], label=curve.label
        )
    axes.set_ylim(0, 1.02)
    in_percent(axes, y=True)
    label_axes(axes, theme, x=f"tenure, {unit}", y="still there")
    if len(curves) > 1:
        add_legend(axes, theme, place="lower left")
    return figure


def survival_finding(curves: Sequence[SurvivalCurve], unit: str, by: str = "") -> str:
    """What the curves show, as a title: at the longest tenure that all of them reach."""
    common = min(float(curve.times[-1]) for curve in curves)
    ranked = sorted(curves, key=lambda curve: curve.at(common))
    low, high = ranked[0], ranked[-1]
    when = f"After {common:,.6g} {unit}"
    if len(curves) == 1:
        return f"{when} {low.at(common):.1%} of customers are still there"
    return (
        f"{when} {high.at(common):.1%} are still there at {by} {high.label}, "
        f"{low.at(common):.1%} at {low.label}"
    )


def interaction_chart(pair: PairInteraction, theme: Theme = LIGHT) -> Figure:
    """The churn ratio over the groups of one column, a line for each group of another."""
    figure, axes = blank_chart(interaction_finding(pair), theme, height=4.4)
    labels = list(dict.fromkeys(g.label for cells in pair.cells.values() for g in cells))
    colours = (theme.main, theme.other, theme.ink)
    by_size = sorted(pair.cells, key=lambda name: -sum(g.rows for g in pair.cells[name]))
    for place, name in enumerate([n for n in pair.cells if n in by_size[: len(_LINES)]]):
        cells = [group for group in pair.cells[name] if group.rows >= LEAST_ROWS]
        axes.plot(
            [labels.index(group.label) for group in cells],
            [group.ratio.value for group in cells],
            marker=_MARKERS[place],
            linestyle=_LINES[place],
            color=colours[place % len(colours)],
            label=name,
        )
    axes.set_xticks(range(len(labels)), [textwrap.fill(label, 14) for label in labels])
    axes.set_ylim(bottom=0)
    in_percent(axes, y=True)
    unit = f", {pair.unit}" if pair.unit else ""
    label_axes(axes, theme, x=f"{pair.first}{unit}; a line for each {pair.second}", y="left")
    # Below the axes, where it covers no line.
    figure.legend(
        loc="outside lower center", ncols=3, frameon=False, fontsize=9, labelcolor=theme.ink
    )
    return figure


def interaction_finding(pair: PairInteraction) -> str:
    """How far the ratio moves along the first column under the second's groups, as a title."""
    moves = {}
    for name, cells in pair.cells.items():
        ratios = [group.ratio.value for group in cells if group.rows >= LEAST_ROWS]
        if len(ratios) > 1:
            moves[name] = 100 * (max(ratios) - min(ratios))
    if not pair.significant or len(moves) < 2:  # noqa: PLR2004
        return f"{pair.first} and {pair.second} do not clearly interact"
    most, least = max(moves, key=moves.__getitem__), min(moves, key=moves.__getitem__)
    return (
        f"Along {pair.first} churn moves by {moves[most]:.0f} points at {pair.second} {most}, "
        f"by {moves[least]:.0f} at {least}"
    )


def _ranking_title(ranked: Sequence[Breakdown]) -> str:
    best = ranked[0]
    unclear = sum(not found.differs for found in ranked)
    return (
        f"{best.column} says most about leaving: it explains {best.explained:.1%} of the "
        f"uncertainty; {unclear} of {len(ranked)} columns show no clear difference"
    )


def _largest(groups: Sequence[Group]) -> list[Group]:
    """At most as many groups as a chart holds, in their own order."""
    kept = sorted(groups, key=lambda group: -group.rows)[:_SHOWN]
    return [group for group in groups if group in kept]


def _short(name: str) -> str:
    return textwrap.shorten(name, _LONGEST, placeholder=" …") if len(name) > _LONGEST else name
