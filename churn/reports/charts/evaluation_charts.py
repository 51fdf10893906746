"""Charts of an evaluation, each under a title that states its finding with the figure.

Every function draws from a report alone, so a chart can be drawn again from a stored report.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.weighted import TOP_SHARE
from churn.reports.charts.chart_style import (
    LIGHT,
    Corner,
    Theme,
    add_legend,
    blank_chart,
    draw_estimate,
    in_percent,
    label_axes,
    label_rows,
)

_ROW_HEIGHT = 0.52


def candidates_chart(report: ProtocolReport, chosen: str, theme: Theme = LIGHT) -> Figure:
    """Mean ROC-AUC of every candidate with its interval, best on top."""
    result = report.result(chosen)
    leads = report.ranking[0].name == chosen
    title = f"{chosen} {'ranks customers best' if leads else 'was chosen'}: "
    title += f"ROC-AUC {result.metrics.roc_auc:.4f}"
    if result.roc_auc_interval is not None:
        title += f", 95% interval {result.roc_auc_interval.span()}"
    if not leads:
        title += f"; {report.ranking[0].name} ranks best here"
    names = [each.name for each in report.ranking]
    figure, axes = blank_chart(title, theme, height=1.7 + _ROW_HEIGHT * len(names))
    for place, each in enumerate(report.ranking):
        chosen_one = each.name == chosen
        draw_estimate(
            axes,
            theme,
            (each.metrics.roc_auc, place),
            each.roc_auc_interval,
            text=f"{each.metrics.roc_auc:.4f}",
            colour=theme.main if chosen_one else theme.other,
            marker="D" if chosen_one else "o",
        )
    label_rows(axes, names)
    axes.margins(x=0.12)
    plan = report.plan
    label_axes(axes, theme, x=f"mean ROC-AUC over {plan.splits} splits (0.5 is guessing)")
    return figure


def differences_chart(report: ProtocolReport, theme: Theme = LIGHT) -> Figure:
    """ROC-AUC gained over the baseline, with the corrected paired interval."""
    gained = [each.against_baseline for each in report.ranking if each.against_baseline]
    if not gained:
        figure, axes = blank_chart(f"{report.baseline} was the only candidate", theme)
        axes.set_axis_off()
        return figure
    best = gained[0]
    relation = "is level with" if best.covers_zero else "beats" if best.difference > 0 else "trails"
    title = (
        f"{best.model} {relation} {report.baseline}: {best.difference:+.4f} ROC-AUC, "
        f"95% interval {best.interval.span('+.4f')}"
    )
    figure, axes = blank_chart(title, theme, height=1.7 + _ROW_HEIGHT * len(gained))
    axes.axvline(0, color=theme.ink, linewidth=1)
    for place, each in enumerate(gained):
        # Shape and colour say the same: filled where the interval leaves zero out.
        colour = theme.other if each.covers_zero else theme.main
        draw_estimate(
            axes,
            theme,
            (each.difference, place),
            each.interval,
            text=f"{each.difference:+.4f}".replace("-", "\N{MINUS SIGN}"),
            colour=colour,
            markerfacecolor=theme.paper if each.covers_zero else colour,
            markeredgewidth=1.8,
        )
    label_rows(axes, [each.model for each in gained])
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter("{x:+.3f}")
    x = f"ROC-AUC gained over {report.baseline} (hollow: the interval covers 0)"
    label_axes(axes, theme, x=x)
    return figure


def roc_chart(gate_rows: GateRowsReport, theme: Theme = LIGHT) -> Figure:
    """The ROC curve on the gate rows."""
    bounds = gate_rows.intervals["roc_auc"]
    figure, axes = blank_chart(
        f"A leaver outranks a stayer {gate_rows.metrics.roc_auc:.1%} of the time: ROC-AUC "
        f"{gate_rows.metrics.roc_auc:.4f}, 95% interval {bounds.span()}",
        theme,
        height=4.6,
    )
    axes.plot([0, 1], [0, 1], color=theme.faint, linewidth=1.3, linestyle="--", label="guessing")
    axes.plot(
        gate_rows.roc.x, gate_rows.roc.y, color=theme.main, linewidth=2, label=gate_rows.model
    )
    x, y = "customers who stayed, wrongly flagged (share)", "customers who left, flagged (share)"
    _finish_unit_square(axes, theme, x=x, y=y, legend="lower right")
    return figure


def reliability_chart(gate_rows: GateRowsReport, theme: Theme = LIGHT) -> Figure:
    """Observed against predicted churn, with what chance alone would show around the diagonal."""
    found = gate_rows.reliability
    judged = "within" if found.within_noise else "beyond"
    figure, axes = blank_chart(
        f"Predictions are {100 * found.ece:.1f} points off on average (ECE {found.ece:.3f}), "
        f"{judged} the {100 * found.noise_upper:.1f} that chance alone can show",
        theme,
        height=4.6,
    )
    predicted = [each.predicted for each in found.bins]
    axes.fill_between(
        predicted,
        [each.lower for each in found.bins],
        [each.upper for each in found.bins],
        color=theme.shade,
        label="95% of perfectly calibrated samples",
    )
    axes.plot([0, 1], [0, 1], color=theme.faint, linewidth=1.3, linestyle="--")
    axes.plot(
        predicted,
        [each.observed for each in found.bins],
        "o-",
        color=theme.main,
        linewidth=1.6,
        markersize=6,
        label=f"{gate_rows.model}, groups of about {found.bins[0].rows} customers",
    )
    x, y = "predicted probability of leaving", "customers who left (share)"
    _finish_unit_square(axes, theme, x=x, y=y, legend="upper left")
    return figure


def gains_chart(gate_rows: GateRowsReport, theme: Theme = LIGHT) -> Figure:
    """Leavers reached when customers are addressed in order of their score."""
    curve, metrics = gate_rows.gains, gate_rows.metrics
    reached = TOP_SHARE * metrics.lift_at_10
    figure, axes = blank_chart(
        f"The top tenth by score holds {reached:.0%} of the leavers (lift {metrics.lift_at_10:.1f})",
        theme,
        height=4.6,
    )
    rate = metrics.positives / metrics.rows
    axes.plot(
        [0, rate, 1],
        [0, 1, 1],
        color=theme.other,
        linewidth=1.3,
        linestyle=":",
        label="perfect order",
    )
    axes.plot(
        [0, 1], [0, 1], color=theme.faint, linewidth=1.3, linestyle="--", label="random order"
    )
    axes.plot(curve.x, curve.y, color=theme.main, linewidth=2, label=gate_rows.model)
    axes.plot(
        TOP_SHARE,
        reached,
        "D",
        color=theme.main,
        markersize=7,
        label=f"10% of customers, {reached:.0%} of leavers",
    )
    x, y = "customers addressed, highest score first (share)", "leavers reached (share)"
    _finish_unit_square(axes, theme, x=x, y=y, legend="lower right")
    return figure


def scores_chart(gate_rows: GateRowsReport, theme: Theme = LIGHT) -> Figure:
    """How predictions spread among those who left and those who stayed."""
    scores = gate_rows.scores
    edges, left, stayed = (np.asarray(v) for v in (scores.edges, scores.left, scores.stayed))
    upper_half = left[edges[:-1] >= 0.5 - 1e-9].sum() / left.sum()
    figure, axes = blank_chart(
        f"{upper_half:.0%} of leavers had been given more than an even chance of leaving",
        theme,
    )
    for counts, colour, name, filled in (
        (left, theme.main, "left", True),
        (stayed, theme.other, "stayed", False),
    ):
        axes.stairs(
            counts / counts.sum(),
            edges,
            color=colour,
            fill=filled,
            alpha=0.55 if filled else 1.0,
            linewidth=1.8,
            label=f"{name} ({counts.sum():,} customers)",
        )
    axes.set_xlim(0, 1)
    in_percent(axes, x=True, y=True)
    label_axes(axes, theme, x="predicted probability of leaving", y="share of the group")
    add_legend(axes, theme, place="upper right")
    return figure


def _finish_unit_square(axes: Axes, theme: Theme, *, x: str, y: str, legend: Corner) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    in_percent(axes, x=True, y=True)
    label_axes(axes, theme, x=x, y=y)
    add_legend(axes, theme, place=legend)
