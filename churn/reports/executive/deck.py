"""The slides as an editable PowerPoint file: native charts and tables, alternative texts, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from churn.reports.executive.evidence import Evidence
from churn.reports.executive.slide import Chart, Slide, Table
from churn.reports.executive.slides import slides

_WIDE, _HIGH = 13.333, 7.5  # inches
_COVER_DOWN = 1.4
_INK, _SOFT, _MAIN, _OTHER = "1F2933", "52606D", "0072B2", "D55E00"
_FONT = "Liberation Sans"


def write_deck(path: Path, seen: Evidence) -> tuple[Slide, ...]:
    """Writes the file and returns the slides; every figure in it is remembered in `seen.stated`."""
    from pptx import Presentation
    from pptx.util import Inches

    made = slides(seen)
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDE), Inches(_HIGH)
    deck.core_properties.title = made[0].title
    deck.core_properties.author = seen.business.owners or seen.roi.run.model
    for number, slide in enumerate(made, 1):
        _add(deck, slide, number, source=_source(seen))
    deck.save(str(path))
    return made


def _source(seen: Evidence) -> str:
    run = seen.roi.run
    return f"Run of {run.day}: {run.model} version {run.version}, playbook '{run.playbook}'"


def _add(deck: Any, slide: Slide, number: int, *, source: str) -> None:
    page = deck.slides.add_slide(deck.slide_layouts[5])  # a title and nothing else
    down = _COVER_DOWN if number == 1 else 0.0
    title = page.shapes.title
    _place(title, 0.6, 0.45 + down, _WIDE - 1.2, 1.1)
    _write(title.text_frame, (slide.title,), size=28, bold=True, colour=_INK)
    below = _lines(page, slide, top=1.75 + down)
    if slide.chart is not None:
        _add_chart(page, slide.chart)
    elif slide.table is not None:
        _add_table(page, slide.table, top=below)
    footer = page.shapes.add_textbox(*_box(0.6, 6.95, _WIDE - 1.2, 0.35))
    said = f"{number}   {source}" + (f"   ·   {slide.label}" if slide.label else "")
    _write(footer.text_frame, (said,), size=11, colour=_OTHER if slide.label else _SOFT)
    page.notes_slide.notes_text_frame.text = slide.notes


def _lines(page: Any, slide: Slide, *, top: float) -> float:
    """Writes the sentences and returns where they end, in inches from the top."""
    if not slide.lines:
        return top
    width, size, high, space = _WIDE - 1.2, 20, 4.9, 12  # alone
    if slide.chart is not None:
        width, size, space = 4.3, 18, 8
    elif slide.table is not None:
        size, space = 16, 3
        high = 0.1 + 0.31 * sum(1 + len(each) // 105 for each in slide.lines)
    box = page.shapes.add_textbox(*_box(0.6, top, width, high))
    _write(box.text_frame, slide.lines, size=size, colour=_INK, space=space)
    return top + 0.1 + high


def _add_chart(page: Any, chart: Chart) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
    from pptx.util import Pt

    kinds = {
        "bars": XL_CHART_TYPE.BAR_CLUSTERED,
        "columns": XL_CHART_TYPE.COLUMN_CLUSTERED,
        "lines": XL_CHART_TYPE.LINE_MARKERS,
    }
    new_data: Any = CategoryChartData  # has no types
    data = new_data(number_format=chart.form)
    data.categories = chart.categories
    for name, values in chart.series.items():
        data.add_series(name, values)
    frame = page.shapes.add_chart(kinds[chart.kind], *_box(5.1, 1.7, _WIDE - 5.7, 5.1), data)
    _describe(frame, chart.alt)
    drawn = frame.chart
    drawn.font.size, drawn.font.name = Pt(12), _FONT
    drawn.has_title = False
    drawn.has_legend = len(chart.series) > 1
    if drawn.has_legend:
        drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    _style_axes(drawn, chart)
    plot = drawn.plots[0]
    plot.gap_width, plot.vary_by_categories = 60, False
    plot.has_data_labels = True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = chart.form, False
    plot.data_labels.font.size = Pt(11)
    for series, colour in zip(plot.series, (_MAIN, _OTHER), strict=False):
        series.invert_if_negative = False
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = _rgb(colour)


def _style_axes(drawn: Any, chart: Chart) -> None:
    from pptx.enum.chart import XL_TICK_LABEL_POSITION
    from pptx.util import Pt

    values, names = drawn.value_axis, drawn.category_axis
    values.has_title = True
    values.axis_title.text_frame.text = chart.title
    values.axis_title.text_frame.paragraphs[0].runs[0].font.size = Pt(12)
    values.axis_title.text_frame.paragraphs[0].runs[0].font.bold = False
    values.tick_labels.number_format, values.tick_labels.number_format_is_linked = chart.form, False
    if all(value >= 0 for each in chart.series.values() for value in each):
        values.minimum_scale = 0
    values.has_major_gridlines = True
    values.major_gridlines.format.line.color.rgb = _rgb("D5DCE3")
    values.format.line.fill.background()
    names.tick_label_position = (
        XL_TICK_LABEL_POSITION.LOW
    )  # beside the chart where values are negative
    names.format.line.color.rgb = _rgb("B8C2CC")
    names.reverse_order = chart.kind == "bars"  # the first on top
    if chart.kind == "bars":
        values.tick_label_position = XL_TICK_LABEL_POSITION.HIGH


def _add_table(page: Any, table: Table, *, top: float) -> None:
    from pptx.util import Inches

    rows, columns = len(table.rows), len(table.rows[0])
    width = _WIDE - 1.2
    frame = page.shapes.add_table(rows, columns, *_box(0.6, top, width, 0.36 * rows))
    _describe(frame, table.alt)
    for at, wide in enumerate(_column_widths(table, width)):
        frame.table.columns[at].width = Inches(wide)
    for at, row in enumerate(table.rows):
        for place, text in enumerate(row):
            cell = frame.table.cell(at, place)
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            head = at == 0
            cell.fill.solid()
            cell.fill.fore_color.rgb = _rgb(_MAIN if head else "FFFFFF" if at % 2 else "F1F4F7")
            _write(cell.text_frame, (text,), size=13, bold=head, colour="FFFFFF" if head else _INK)


def _column_widths(table: Table, width: float) -> list[float]:
    """Widths in inches: enough for each column's longest word, and the rest by how long its texts are."""
    columns = list(zip(*table.rows, strict=True))
    least = [0.25 + 0.1 * max(len(w) for text in each for w in text.split()) for each in columns]
    share = [max(map(len, each)) ** 0.6 for each in columns]
    left = max(0.0, width - sum(least)) / sum(share)
    return [wide + left * mine for wide, mine in zip(least, share, strict=True)]


def _write(
    frame: Any,
    texts: tuple[str, ...],
    *,
    size: int,
    colour: str,
    bold: bool = False,
    space: int = 0,
) -> None:
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    frame.word_wrap = True
    for at, text in enumerate(texts):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        paragraph.alignment, paragraph.space_after = PP_ALIGN.LEFT, Pt(space)
        run = paragraph.add_run()
        run.text = text
        run.font.size, run.font.bold, run.font.name = Pt(size), bold, _FONT
        run.font.color.rgb = _rgb(colour)


def _describe(frame: Any, alt: str) -> None:
    """Sets the alternative text, which python-pptx has no property for."""
    frame.element.nvGraphicFramePr.cNvPr.set("descr", alt)


def _place(shape: Any, *box: float) -> None:
    shape.left, shape.top, shape.width, shape.height = _box(*box)


def _box(*inches: float) -> tuple[int, ...]:
    from pptx.util import Inches

    return tuple(int(Inches(each)) for each in inches)


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    new_colour: Any = RGBColor.from_string  # has no types
    return new_colour(colour)
