"""Charts of a search for settings, each under a title that states its finding with the figure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    add_legend,
    blank_chart,
    draw_ranked_bars,
    label_axes,
)
from churn.tuning.search_report import TuningReport

_ROW_HEIGHT = 0.42


def history_chart(report: TuningReport, theme: Theme = LIGHT) -> Figure:
    """Every trial's inner log loss, the best so far, and the recipe as it stood."""
    figure, axes = blank_chart(report.finding, theme)
    complete = [trial for trial in report.trials if trial.state == "complete"]
    numbers = [trial.number for trial in complete]
    values = np.array([trial.value for trial in complete], dtype=np.float64)
    if report.recipe_value is not None:
        axes.axhline(
            report.recipe_value,
            color=theme.ink,
            linewidth=1,
            linestyle="--",
            label="the recipe's own settings",
        )
    best = np.minimum.accumulate(values)
    axes.step(
        [*numbers, report.trials[-1].number],
        [*best, best[-1]],
        where="post",
        color=theme.main,
        linewidth=1.6,
        label="best so far",
    )
    axes.plot(numbers, values, "o", color=theme.main, markersize=6, label="complete trial")
    pruned = {t.number: t.value for t in report.trials if t.state == "pruned" and t.value}
    if pruned:
        axes.plot(
            list(pruned),
            list(pruned.values()),
            "x",
            color=theme.other,
            markersize=7,
            label="pruned, where it was stopped",
        )
    axes.plot(report.best, report.best_value, "D", color=theme.main, markersize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.5 * (high - low))  # space for the legend
    add_legend(axes, theme, place="upper right")
    label_axes(axes, theme, x="trial", y="inner log loss (lower is better)")
    return figure


def setting_importance_chart(report: TuningReport, theme: Theme = LIGHT) -> Figure:
    """How much of the differences between complete trials each setting explains."""
    if not report.importance:
        figure, axes = blank_chart(
            f"{report.recipe}: {report.count('complete')} complete trials are too few, or too "
            "alike, to tell which setting matters",
            theme,
        )
        axes.set_axis_off()
        return figure
    ranked = sorted(report.importance.items(), key=lambda entry: (-entry[1], entry[0]))
    (first, most) = ranked[0]
    figure, axes = blank_chart(
        f"{report.recipe}: {first} explains {most:.0%} of the differences between trials",
        theme,
        height=1.5 + _ROW_HEIGHT * len(ranked),
    )
    draw_ranked_bars(axes, theme, ranked, height=0.62, form=".0%")
    complete = report.count("complete")
    label_axes(axes, theme, x=f"share of the variance over {complete} complete trials")
    return figure
