"""Charts of an explanation, each under a title that states its finding with the figure.

Every function draws from the report alone, so a chart can be drawn again from a stored report.
"""

from __future__ import annotations

import textwrap
from typing import cast

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, DrawingArea, HPacker, TextArea
from matplotlib.patches import Rectangle

from churn.explain.explanation_report import Dependence, ExplanationReport, Interaction, Swarm
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    label_axes,
    label_rows,
    style_axes,
)
from churn.reports.charts.importance_chart import importance_chart

_SWARM_ROW = 0.56
_SWARM_HALF = 0.27  # of a row's height, above and below its line
_MARKERS = "osD^vPX"
_PANELS_A_ROW = 2
_PANEL_WIDTH = 30  # letters below one of them
_ADDITIVE_NOISE = 1e-9


def explanation_charts(report: ExplanationReport, theme: Theme = LIGHT) -> dict[str, Figure]:
    """Draws the charts of an explanation, by name, in the order a page shows them."""
    drawn = {
        "importance": column_importance_chart(report, theme),
        "beeswarm": beeswarm_chart(report, theme),
    }
    if report.dependence:
        drawn["dependence"] = dependence_chart(report, theme)
    if report.interaction is not None and report.interaction.largest is not None:
        drawn["interaction"] = interaction_chart(report, theme)
    return drawn


def column_importance_chart(report: ExplanationReport, theme: Theme = LIGHT) -> Figure:
    """Mean absolute contribution of every column of the table, the strongest on top."""
    strengths = {each.column: each.strength for each in report.importance}
    return importance_chart(report.model, strengths, theme)


def beeswarm_chart(report: ExplanationReport, theme: Theme = LIGHT) -> Figure:
    """How contributions spread over the customers, coloured by the column's value."""
    figure, axes = blank_chart(
        _swarm_title(report), theme, height=1.5 + _SWARM_ROW * len(report.swarms)
    )
    contribution = "contribution" if report.exact else "estimated contribution"
    edges = np.array(report.swarm_edges)
    axes.axvline(0, color=theme.ink, linewidth=0.8)
    for place, swarm in enumerate(report.swarms):
        counts = np.array(swarm.counts)
        tall = np.sqrt(counts.sum(axis=1))
        tall *= 2 * _SWARM_HALF / tall.max()
        colours = _shades(len(swarm.levels), theme)
        bottom = place - tall / 2
        for level, colour in enumerate(colours):
            part = tall * counts[:, level] / np.maximum(counts.sum(axis=1), 1)
            shown = part > 0
            axes.bar(
                edges[:-1][shown],
                part[shown],
                bottom=bottom[shown],
                width=np.diff(edges)[shown],
                align="edge",
                color=colour,
                linewidth=0,
            )
            bottom = bottom + part
        _add_value_key(axes, theme, swarm, colours, place)
    label_rows(axes, [swarm.column for swarm in report.swarms], above=0.5, below=0.3)
    height = "height: square root of the number of customers"
    label_axes(axes, theme, x=f"{contribution} to the score, log-odds ({height})")
    return figure


def dependence_chart(report: ExplanationReport, theme: Theme = LIGHT) -> Figure:
    """Contribution against value for the strongest columns, one panel each."""
    figure, panels = _panels(_dependence_title(report), theme, len(report.dependence))
    for place, (axes, found) in enumerate(zip(panels, report.dependence, strict=True)):
        axes.axhline(0, color=theme.ink, linewidth=0.8)
        middles = [band.middle for band in found.bands]
        means = [band.mean for band in found.bands]
        lows, highs = ([getattr(b, side) for b in found.bands] for side in ("low", "high"))
        if found.unit:
            axes.fill_between(middles, lows, highs, color=theme.main, alpha=0.25, linewidth=0)
            axes.plot(middles, means, "o-", color=theme.main, linewidth=1.8, markersize=4)
        else:
            spans = [high - low for low, high in zip(lows, highs, strict=True)]
            axes.bar(
                middles, spans, bottom=lows, width=0.6, color=theme.main, alpha=0.25, linewidth=0
            )
            left, right = ([at + by for at in middles] for by in (-0.3, 0.3))
            axes.hlines(means, left, right, color=theme.main, linewidth=2)
            axes.set_xticks(middles, [textwrap.fill(band.label, 13) for band in found.bands])
            axes.tick_params(axis="x", labelsize=8.5)
            axes.set_xlim(min(middles) - 0.5, max(middles) + 0.5)
        unit = f", {found.unit}" if found.unit else ""
        beside = place % _PANELS_A_ROW > 0
        label_axes(
            axes,
            theme,
            x=f"{found.column}{unit}",
            y="" if beside else "contribution, log-odds",
            wide=_PANEL_WIDTH,
        )
    # Known to the layout engine, unlike a text: it keeps clear of the panels.
    figure.supxlabel(
        "line: mean; shade: the middle 80% of customers", fontsize=8.5, color=theme.ink
    )
    return figure


def interaction_chart(report: ExplanationReport, theme: Theme = LIGHT) -> Figure:
    """Tenure's contribution at the same tenure under each contract term.

    Raises:
        ValueError: the report holds no interaction, or too few customers to compare terms.
    """
    found = report.interaction
    if found is None or found.largest is None:
        raise ValueError("the report holds no interaction of tenure and contract")
    title = _interaction_title(report, found, found.largest)
    figure, axes = blank_chart(title, theme, height=4.4)
    axes.axhline(0, color=theme.ink, linewidth=0.8)
    colours = (theme.main, theme.other, theme.ink)
    for place, line in enumerate(found.lines):
        axes.plot(
            line.months,
            line.means,
            marker=_MARKERS[place % len(_MARKERS)],
            linestyle=("-", "--", ":")[place % 3],
            color=colours[place % 3],
            linewidth=1.8,
            markersize=5,
            label=line.term,
        )
    y = f"contribution of {found.column}, log-odds"
    label_axes(axes, theme, x=f"{found.column}, {found.unit}", y=y)
    add_legend(axes, theme, place="upper right")
    return figure


def _shades(count: int, theme: Theme) -> list[tuple[float, float, float, float]]:
    """Colours from dark to light that differ in lightness, so that everybody can tell them."""
    low, high = (0.0, 0.88) if theme is LIGHT else (0.22, 1.0)
    places = np.linspace(low, high, count) if count > 1 else np.array([low])
    return [cast("tuple[float, float, float, float]", mpl.colormaps["viridis"](p)) for p in places]


def _add_value_key(
    axes: Axes,
    theme: Theme,
    swarm: Swarm,
    colours: list[tuple[float, float, float, float]],
    place: int,
) -> None:
    """Says under a row which colour is which value."""
    pieces: list[Artist] = []
    for level, colour in zip(swarm.levels, colours, strict=True):
        patch = DrawingArea(7, 7)
        patch.add_artist(Rectangle((0, 0), 7, 7, facecolor=colour, linewidth=0))
        words = TextArea(level, textprops={"fontsize": 7, "color": theme.ink})
        pieces.append(HPacker(children=[patch, words], pad=0, sep=3, align="center"))
    axes.add_artist(
        AnnotationBbox(
            HPacker(children=pieces, pad=0, sep=8, align="center"),
            (0.0, place + 0.42),
            xycoords=axes.get_yaxis_transform(),
            box_alignment=(0, 0.5),
            bboxprops={"facecolor": theme.paper, "edgecolor": "none"},
            pad=0.1,
        )
    )


def _panels(title: str, theme: Theme, count: int) -> tuple[Figure, list[Axes]]:
    """A chart of several panels that share their height."""
    rows = -(-count // _PANELS_A_ROW)
    figure, first = blank_chart(title, theme, height=1.3 + 2.5 * rows)
    first.remove()
    grid = figure.subplots(rows, min(count, _PANELS_A_ROW), sharey=True, squeeze=False)
    panels = [cast("Axes", axes) for axes in grid.flat]
    for axes in panels[count:]:
        axes.set_axis_off()
    for axes in panels[:count]:
        style_axes(axes, theme, label_size=9)
    return figure, panels[:count]


def _swarm_title(report: ExplanationReport) -> str:
    edges = np.array(report.swarm_edges)
    reach = {}
    for swarm in report.swarms:
        held = np.flatnonzero(np.array(swarm.counts).sum(axis=1))
        reach[swarm.column] = (edges[held[0]], edges[held[-1] + 1])
    column, (low, high) = max(reach.items(), key=lambda each: each[1][1] - each[1][0])
    span = f"from {low:+.1f} to {high:+.1f}".replace("-", "\N{MINUS SIGN}")
    return f"{column} reaches furthest: {span} log-odds, depending on the customer"


def _dependence_title(report: ExplanationReport) -> str:
    def rise(found: Dependence) -> float:
        means = [band.mean for band in found.bands]
        return max(means) - min(means)

    found = max(report.dependence, key=rise)
    high = max(found.bands, key=lambda band: band.mean)
    low = min(found.bands, key=lambda band: band.mean)
    unit = f" {found.unit}" if found.unit else ""
    return (
        f"{found.column} of {high.label}{unit} adds {rise(found):.2f} log-odds of leaving over "
        f"{low.label}{unit}"
    )


def _interaction_title(report: ExplanationReport, found: Interaction, largest: float) -> str:
    if largest < _ADDITIVE_NOISE:
        why = ", by construction" if report.additive else ""
        return (
            f"{found.column} and {found.by} do not interact{why}: the same {found.column} counts "
            f"the same under every {found.by}"
        )
    through = f", through {' and '.join(found.carried_by)} alone" if report.additive else ""
    return (
        f"The same {found.column} counts differently by {found.by}{through}: by "
        f"{largest:.2f} log-odds around {found.largest_at:.0f} {found.unit}, by "
        f"{found.typical:.2f} on average"
    )
