"""Which columns move a model's predictions, and how far: one bar per column."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from churn.reports.charts.chart_style import LIGHT, Theme, blank_chart, label_axes

_ROW_HEIGHT = 0.27


def importance_chart(recipe: str, importance: Mapping[str, float], theme: Theme = LIGHT) -> Figure:
    """Mean absolute contribution of every column, the strongest on top.

    Args:
        recipe: whose contributions they are.
        importance: column -> mean absolute contribution in log-odds; not empty.
        theme: colours.
    """
    ranked = sorted(importance.items(), key=lambda entry: (-entry[1], entry[0]))
    figure, axes = blank_chart(
        _finding(recipe, ranked), theme, height=1.5 + _ROW_HEIGHT * len(ranked)
    )
    places = range(len(ranked))
    axes.barh(places, [strength for _, strength in ranked], height=0.66, color=theme.main)
    for place, (_, strength) in enumerate(ranked):
        axes.annotate(
            f"{strength:.2f}",
            (strength, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=theme.ink,
        )
    axes.set_yticks(places, [column for column, _ in ranked])
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.09)
    label_axes(axes, theme, x="mean absolute contribution to a score, log-odds", y="")
    return figure


def _finding(recipe: str, ranked: list[tuple[str, float]]) -> str:
    (first, most), *others = ranked
    if not others:
        return f"{first} alone moves {recipe}'s scores: by {most:.2f} on average"
    second, next_most = others[0]
    return (
        f"{first} and {second} move {recipe}'s scores most: by {most:.2f} and {next_most:.2f} "
        "on average"
    )
