"""The campaign on one page of A4, as a PDF: the decision, the money, the assumptions, the next step."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import matplotlib as mpl

from churn.reports.charts.chart_style import as_png
from churn.reports.charts.retention_charts import profit_chart, tornado_chart
from churn.reports.executive.evidence import Evidence
from churn.reports.executive.experiment_slides import UNBALANCED
from churn.reports.executive.slide import ASSUMED

_INK, _SOFT, _MAIN, _WARN = (31, 41, 51), (82, 96, 109), (0, 114, 178), (213, 94, 0)
_MARGIN, _WIDE = 16, 178  # millimetres
_FONT = "DejaVu"
_BARS = 5  # more could not be read at this size


def one_pager(seen: Evidence) -> bytes:
    """Renders the page; the same artifacts give the same bytes."""
    from fpdf import FPDF

    page = FPDF(format="A4")
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        page.add_font(_FONT, style, str(fonts / file))
    page.set_margins(_MARGIN, 14)
    page.set_auto_page_break(False)
    page.set_title(f"{seen.contract.title}: retention campaign")
    page.set_lang("en")
    page.set_creation_date(datetime.combine(seen.roi.run.day, time(), UTC))
    page.add_page()
    _head(page, seen)
    _tiles(page, seen)
    _pictures(page, seen)
    _section(page, "What to decide", _decision(seen))
    _offers(page, seen)
    _section(page, "What is assumed", _assumed(seen))
    _section(page, "How it will be measured", _measured(seen))
    _foot(page, seen)
    return bytes(page.output())


def _head(page: Any, seen: Evidence) -> None:
    run = seen.roi.run
    _text(page, f"{seen.contract.title} · {run.day}", size=9, colour=_SOFT)
    _text(
        page,
        f"Contact {seen.count('retention.called')} customers: "
        f"{seen.money('roi.figures.profit.value')} expected",
        size=17,
        bold=True,
    )
    _text(page, ASSUMED, size=9, colour=_WARN, bold=True)
    page.ln(2)


def _tiles(page: Any, seen: Evidence) -> None:
    tiles = (
        ("95% range of the profit", seen.money_range("roi.figures.profit")),
        ("Expected cost", seen.money("roi.figures.cost.value")),
        ("Chance of a loss", seen.share("roi.loss_chance")),
    )
    top, wide = page.get_y(), (_WIDE - 8) / 3
    for at, (name, value) in enumerate(tiles):
        left = _MARGIN + at * (wide + 4)
        page.set_fill_color(245, 247, 249)
        page.rect(left, top, wide, 17, style="F")
        page.set_xy(left + 3, top + 2)
        _text(page, name, size=8, colour=_SOFT, wide=wide - 6)
        page.set_x(left + 3)
        _text(page, value, size=10.5, bold=True, wide=wide - 6)
    page.set_xy(_MARGIN, top + 21)


def _pictures(page: Any, seen: Evidence) -> None:
    top, wide = page.get_y(), (_WIDE - 4) / 2
    bottom = top
    for at, chart in enumerate((profit_chart(seen.roi), tornado_chart(seen.roi, most=_BARS))):
        alt = chart.get_suptitle().replace("\n", " ")
        high = wide * chart.get_figheight() / chart.get_figwidth()
        shown = min(high, 78.0)
        page.image(
            io.BytesIO(as_png(chart)), x=_MARGIN + at * (wide + 4), y=top,
            w=wide * shown / high, h=shown, alt_text=alt,
        )  # fmt: skip
        bottom = max(bottom, top + shown)
    page.set_xy(_MARGIN, bottom + 4)


def _offers(page: Any, seen: Evidence) -> None:
    _text(page, f"Offers, in {seen.roi.money}", size=11, bold=True, colour=_MAIN)
    rows = [("Offer", "Customers", "Cost", "Profit")]
    rows += [
        (
            each.title,
            seen.count(f"roi.offers.{at}.customers"),
            seen.state(f"roi.offers.{at}.cost", ",.0f"),
            seen.state(f"roi.offers.{at}.profit", ",.0f"),
        )
        for at, each in enumerate(seen.roi.offers)
    ]
    page.set_draw_color(213, 220, 227)
    for at, row in enumerate(rows):
        page.set_font(_FONT, "B" if at == 0 else "", 8.5)
        page.set_text_color(*(_SOFT if at == 0 else _INK))
        for place, (text, wide) in enumerate(zip(row, (88, 30, 30, 30), strict=True)):
            shown = text
            while page.get_string_width(shown) > wide - 3:
                shown = f"{shown[:-2]}…"
            page.cell(wide, 5.2, shown, "B", align="R" if place else "L")
        page.ln(5.2)
    page.ln(4)


def _decision(seen: Evidence) -> tuple[str, ...]:
    found = [
        (
            f"Run the campaign with its holdout: {seen.count('roi.holdout.treated')} contacted, "
            f"{seen.count('roi.holdout.held_out')} left out by chance."
        ),
        f"If the offers keep nobody, it loses {seen.money('roi.figures.cost.value')}.",
    ]
    if seen.roi.break_even is not None:
        found.insert(1, f"It pays from {seen.share('roi.break_even')} of the assumed effects on.")
    return tuple(found)


def _assumed(seen: Evidence) -> tuple[str, ...]:
    offers = "; ".join(
        f"{each.title}: {seen.state(f'roi.assumptions.{at}.mean', '.0%')}"
        for at, each in enumerate(seen.roi.assumptions)
        if each.name.endswith(".effect")
    ).replace(", share of those who stay because of it", "")
    return (
        f"Of the leavers who take an offer, so many stay because of it: {offers}.",
        *seen.retention.assumptions[:2],
    )


def _measured(seen: Evidence) -> tuple[str, ...]:
    if seen.readout is not None:
        return (
            (
                f"Experiment {seen.value('readout.experiment')}: "
                f"{seen.share('readout.comparison.treated_rate')} of the treated left, "
                f"{seen.share('readout.comparison.holdout_rate')} of the holdout; "
                f"{seen.value('readout.decision')}."
            ),
            *(() if seen.readout.balanced else (UNBALANCED,)),
        )
    return (
        (
            f"{seen.count('experiment.campaigns')} campaigns of this size show a churn of "
            f"{seen.share('experiment.treated_rate')} instead of {seen.share('experiment.holdout_rate')}; "
            f"first look on {seen.experiment.looks[0].due}, last on {seen.experiment.ends}."
        ),
    )


def _section(page: Any, title: str, sentences: tuple[str, ...]) -> None:
    _text(page, title, size=11, bold=True, colour=_MAIN)
    for sentence in sentences:
        _text(page, f"•  {sentence}", size=9.5)
    page.ln(2.5)


def _foot(page: Any, seen: Evidence) -> None:
    run = seen.roi.run
    page.set_xy(_MARGIN, 283)
    _text(
        page,
        f"{run.model} version {run.version} · playbook {run.playbook} {run.playbook_digest[:12]} · "
        f"{run.draws:,} draws, seed {run.seed}",
        size=7.5,
        colour=_SOFT,
    )


def _text(
    page: Any,
    text: str,
    *,
    size: float,
    bold: bool = False,
    colour: tuple[int, int, int] = _INK,
    wide: float = _WIDE,
) -> None:
    page.set_font(_FONT, "B" if bold else "", size)
    page.set_text_color(*colour)
    page.multi_cell(wide, size * 0.48, text, new_x="LMARGIN", new_y="NEXT", align="L")
