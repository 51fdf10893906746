"""Charts of a decision threshold, each under a title that states its finding with the figure."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from churn.evaluation.threshold_gate import EVERYBODY, RULE_NAMES
from churn.evaluation.threshold_report import ThresholdReport
from churn.reports.charts.chart_style import (
    LIGHT,
    Theme,
    blank_chart,
    draw_estimate,
    in_percent,
    label_axes,
    label_rows,
)

_ROW_HEIGHT = 0.52


def profit_chart(report: ThresholdReport, theme: Theme = LIGHT) -> Figure:
    """Profit against share contacted on the development rows, with what every rule chooses."""
    found, money = report.chosen, report.value.money
    bounds = found.campaign.profit_interval
    figure, axes = blank_chart(
        f"Contacting the riskiest {found.campaign.share:.0%} earns {found.campaign.profit:.2f} "
        f"{money} per customer (95% interval {bounds.span('.2f')}), if the assumptions hold",
        theme,
        height=5.2,
    )
    curve = report.curve
    axes.axhline(0, color=theme.ink, linewidth=1)
    left, right = _share_band(report)
    axes.axvspan(left, right, color=theme.shade, label="95% interval of the choice")
    axes.plot(
        curve.share, curve.profit, color=theme.main, linewidth=2, label=f"{report.model}, in order"
    )
    axes.plot(
        [0, 1], [0, curve.profit[-1]], "--", color=theme.faint, linewidth=1.3, label="random order"
    )
    _draw_choices(axes, theme, report)
    axes.set_xlim(-0.01, 1.01)
    in_percent(axes, x=True)
    contacted = "customers contacted, highest score first (share)"
    label_axes(axes, theme, x=contacted, y=f"profit ({money} per customer)")
    # Below the axes: six entries have no space beside the curve.
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        ncols=2,
        frameon=False,
        fontsize=9.5,
        labelcolor=theme.ink,
    )
    return figure


def _draw_choices(axes: Axes, theme: Theme, report: ThresholdReport) -> None:
    """Marks every rule's campaign on the curve, the chosen one last and with its interval."""
    chosen = report.chosen
    for each in report.choices:
        if each.rule != chosen.rule:
            axes.plot(
                each.campaign.share,
                each.campaign.profit,
                _MARKERS[each.rule],
                color=theme.other,
                markerfacecolor=theme.paper,
                markeredgewidth=1.6,
                markersize=7,
                label=f"{RULE_NAMES[each.rule]}: from {each.threshold:.1%} on",
            )
    bounds = chosen.campaign.profit_interval
    axes.plot([chosen.campaign.share] * 2, [bounds.lower, bounds.upper], color=theme.main)
    axes.plot(
        chosen.campaign.share,
        chosen.campaign.profit,
        "D",
        color=theme.main,
        markersize=8,
        label=f"chosen ({RULE_NAMES[chosen.rule]}): from {chosen.threshold:.1%} on",
    )


def campaigns_chart(report: ThresholdReport, theme: Theme = LIGHT) -> Figure:
    """What every campaign earns on the gate rows, with its interval.

    Raises:
        ValueError: the threshold was not judged there yet.
    """
    if report.gate is None:
        raise ValueError("the threshold was not judged on the gate rows yet")
    judged, money = report.gate, report.value.money
    everybody = judged.against(EVERYBODY)
    standing = "" if everybody.sure else ", which chance could explain,"
    figure, axes = blank_chart(
        f"On rows set aside the chosen threshold earns {judged.chosen.profit:.2f} {money} per "
        f"customer, {everybody.difference:+.2f}{standing} against contacting everybody, if the "
        "assumptions hold",
        theme,
        height=1.9 + _ROW_HEIGHT * len(judged.campaigns),
    )
    axes.axvline(0, color=theme.ink, linewidth=1)
    for place, each in enumerate(judged.campaigns):
        draw_estimate(
            axes,
            theme,
            (each.profit, place),
            each.profit_interval,
            text=f"{each.profit:.2f}",
            colour=theme.other if place else theme.main,
            marker="o" if place else "D",
        )
    names = [f"{RULE_NAMES[each.name]}\n({each.share:.0%} contacted)" for each in judged.campaigns]
    label_rows(axes, names)
    axes.margins(x=0.08)
    label_axes(axes, theme, x=f"profit ({money} per customer, mean over all {judged.rows:,})")
    return figure


_MARKERS = {"profit": "o", "break_even": "s", "capacity": "^", "f_beta": "v"}


def _share_band(report: ThresholdReport) -> tuple[float, float]:
    """The interval of the threshold as shares contacted, read off the curve's own points."""
    curve, bounds = report.curve, report.chosen.interval
    points = zip(curve.threshold, curve.share, strict=True)
    inside = [share for threshold, share in points if bounds.covers(threshold)]
    inside = inside or [report.chosen.campaign.share]
    return min(inside), max(inside)
