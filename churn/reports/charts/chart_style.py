"""The look of every chart, on light and on dark pages, and its files.

Figures are made without pyplot, so drawing one leaves no trace in the process. The colours are
Okabe & Ito's (2008, "Color universal design"), which stay distinguishable with any common colour
blindness; position, shape or a label says the same as a colour.
"""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

from churn.evaluation.intervals import Interval

Corner = Literal["upper left", "upper right", "lower left", "lower right"]

_TITLE_WIDTH = 68
_LABEL_WIDTH = 56  # letters of an axis' label, beside the longest names of rows
_ROW_NAME_WIDTH = 30


@dataclass(frozen=True)
class Theme:
    """Colours of a chart, as hex: `main` is what it is about, `other` what it is compared with.

    Text and axes are in `ink` on `paper`, grid and reference lines in `faint`, bands in `shade`.
    """

    paper: str
    ink: str
    faint: str
    main: str
    other: str
    shade: str


LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2933",
    faint="#b8c2cc",
    main="#0072b2",
    other="#d55e00",
    shade="#e4e9ee",
)
DARK = Theme(
    paper="#171c22",
    ink="#e3e8ed",
    faint="#52606d",
    main="#56b4e9",
    other="#e69f00",
    shade="#2a323b",
)


def blank_chart(title: str, theme: Theme, *, height: float = 3.9) -> tuple[Figure, Axes]:
    """An empty chart, 7 inches wide, under a title that states a finding."""
    figure = Figure(
        figsize=(7.0, height),
        layout=ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.1),
        facecolor=theme.paper,
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    # Anchored to the paper, not to the axes: long row names must not push the title off its edge.
    figure.suptitle(
        textwrap.fill(title, _TITLE_WIDTH),
        x=0.014,
        ha="left",
        color=theme.ink,
        fontsize=11.5,
        fontweight="bold",
    )
    style_axes(axes, theme, label_size=9.5)
    return figure, axes


def style_axes(axes: Axes, theme: Theme, *, label_size: float) -> None:
    """Gives axes the theme's colours, a faint grid and no frame above and to the right."""
    axes.set_facecolor(theme.paper)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.faint)
    axes.tick_params(colors=theme.ink, labelsize=label_size, length=0, pad=5)
    axes.grid(visible=True, color=theme.faint, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)


def label_axes(axes: Axes, theme: Theme, *, x: str, y: str = "", wide: int = _LABEL_WIDTH) -> None:
    """Names both axes, units included; `wide` is how many letters fit below the axes."""
    axes.set_xlabel(textwrap.fill(x, wide), color=theme.ink, fontsize=9.5, labelpad=7)
    axes.set_ylabel(y, color=theme.ink, fontsize=9.5, labelpad=7)


def write_beside(
    axes: Axes, theme: Theme, text: str, point: tuple[float, float], *, offset: tuple[float, float]
) -> None:
    """Writes a small text next to a point, `offset` points away, legible over any line."""
    axes.annotate(
        text,
        point,
        xytext=offset,
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=theme.ink,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": theme.paper, "edgecolor": "none"},
    )


def label_rows(
    axes: Axes, names: Sequence[str], *, above: float = 0.7, below: float = 0.45
) -> None:
    """Names the rows of a chart, the first on top, with space above and below them in rows."""
    axes.set_yticks(range(len(names)), [_wrapped(name) for name in names])
    axes.set_ylim(len(names) - below, -above)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _wrapped(name: str) -> str:
    """Long lines are wrapped; line breaks that are there stay."""
    return "\n".join(textwrap.fill(line, _ROW_NAME_WIDTH) for line in name.splitlines())


def draw_estimate(
    axes: Axes,
    theme: Theme,
    point: tuple[float, float],
    interval: Interval | None,
    *,
    text: str,
    colour: str,
    marker: str = "o",
    **style: Any,
) -> None:
    """Draws one row of a chart: an interval as a line, the estimate as a marker with its figure."""
    value, row = point
    if interval is not None:
        axes.plot([interval.lower, interval.upper], [row, row], color=colour, linewidth=2)
    axes.plot(value, row, marker, color=colour, markersize=7.5, **style)
    write_beside(axes, theme, text, point, offset=(0, 8))


def draw_ranked_bars(
    axes: Axes, theme: Theme, ranked: Sequence[tuple[str, float]], *, height: float, form: str
) -> None:
    """Draws a bar for each name, the first on top, with its value in the given format."""
    rows = range(len(ranked))
    axes.barh(rows, [value for _, value in ranked], height=height, color=theme.main)
    for row, (_, value) in enumerate(ranked):
        axes.annotate(
            f"{value:{form}}",
            (value, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=theme.ink,
        )
    label_rows(axes, [name for name, _ in ranked], above=0.6, below=0.4)
    axes.margins(x=0.09)


def in_percent(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Shows an axis of shares in percent."""
    if x:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if y:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def add_legend(axes: Axes, theme: Theme, *, place: Corner) -> None:
    """A legend without a box."""
    axes.legend(loc=place, frameon=False, fontsize=9.5, labelcolor=theme.ink)


def as_svg(figure: Figure) -> str:
    """The chart as SVG text; the same chart gives the same text."""
    target = io.StringIO()
    _fix_layout(figure)
    with mpl.rc_context({"svg.hashsalt": "churn", "svg.fonttype": "path"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue()


def as_png(figure: Figure, *, dots_per_inch: int = 150) -> bytes:
    """The chart as PNG bytes, 1,050 pixels wide by default."""
    target = io.BytesIO()
    _fix_layout(figure)
    figure.savefig(target, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return target.getvalue()


def inline_pictures(
    light: Mapping[str, Figure], dark: Mapping[str, Figure]
) -> dict[str, dict[str, str]]:
    """Returns each chart's `light` and `dark` SVG as data addresses, and its title as `alt`."""
    return {
        name: {
            "light": _data_address(figure),
            "dark": _data_address(dark[name]),
            "alt": figure.get_suptitle().replace("\n", " "),
        }
        for name, figure in light.items()
    }


def _data_address(figure: Figure) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(as_svg(figure).encode()).decode()}"


def _fix_layout(figure: Figure) -> None:
    """Lays the chart out once; the layout engine would move things a little at every drawing."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
