"""A model card as Markdown, for a bundle and a repository, and as one HTML page, for people.

Both are drawn from the same sections. The page is self-contained like the training report: charts
are inlined, nothing is fetched, no script runs. Whatever came from outside is escaped.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from churn.errors import one_line
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import DARK, LIGHT, Theme, as_svg
from churn.reports.charts.threshold_chart import campaigns_chart, profit_chart
from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.contents import sections

_TEMPLATES = Path(__file__).parent.parent / "templates"

_MARKS = re.compile(r"([\\`*\[\]|~])")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_AT_START = re.compile(r"^(#|>|[-+](?=\s)|\d+(?=[.)](\s|$)))")


def render_markdown(card: ModelCard) -> str:
    """The card as GitHub-flavoured Markdown, without charts; the same card gives the same text."""
    environment = _environment(finalize=_safe)
    environment.filters["code"] = _code_line
    text: str = environment.get_template("model_card.md.j2").render(
        card=card, sections=sections(card)
    )
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def render_html(card: ModelCard) -> str:
    """The card as one HTML page; the same card gives the same page."""
    shown = sections(card)
    named = [name for section in shown for name in section.pictures]
    pictures = {}
    for name in named:
        day = _chart(name, card, LIGHT)
        pictures[name] = {
            "light": _inlined(day),
            "dark": _inlined(_chart(name, card, DARK)),
            "alt": day.get_suptitle().replace("\n", " "),
        }
    page: str = (
        _environment()
        .get_template("model_card.html.j2")
        .render(card=card, sections=shown, pictures=pictures)
    )
    return page


def markdown_text(value: Any) -> str:
    """Text as it can stand anywhere in Markdown: one line, with no mark of it taken for markup."""
    text = one_line(value)
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = _MARKS.sub(r"\\\1", text)
    text = _EDGE_UNDERSCORE.sub(r"\\_", text)
    start = _AT_START.match(text)
    if start is None:
        return text
    if text[0].isdigit():
        return f"{start[0]}\\{text[start.end() :]}"
    return f"\\{text}"


def _safe(value: Any) -> Any:
    from markupsafe import Markup

    return value if isinstance(value, Markup) else Markup(markdown_text(value))  # noqa: S704


def _code_line(command: str) -> Any:
    """A command inside an indented block, where no mark counts; only a new line could end it."""
    from markupsafe import Markup

    return Markup(" ".join(command.split()))  # noqa: S704


def _environment(**options: Any) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def _chart(name: str, card: ModelCard, theme: Theme) -> Figure:
    """One of the charts that sections name."""
    report = card.report
    if name == "candidates":
        return charts.candidates_chart(report.protocol, report.selection.chosen, theme)
    if name == "gains":
        return charts.gains_chart(report.gate_rows, theme)
    if name == "reliability":
        return charts.reliability_chart(report.gate_rows, theme)
    if card.threshold is not None and name == "profit":
        return profit_chart(card.threshold, theme)
    if card.threshold is not None and name == "campaigns":
        return campaigns_chart(card.threshold, theme)
    raise KeyError(name)


def _inlined(figure: Figure) -> str:
    encoded = base64.b64encode(as_svg(figure).encode()).decode()
    return f"data:image/svg+xml;base64,{encoded}"
