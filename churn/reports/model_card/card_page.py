"""A model card as Markdown, for a bundle and a repository, and as one HTML page, for people.

Both are rendered from the same sections. Whatever came from outside is escaped.
"""

from __future__ import annotations

import re
from typing import Any

from matplotlib.figure import Figure

from churn.errors import one_line
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import DARK, LIGHT, Theme, inline_pictures
from churn.reports.charts.threshold_charts import campaigns_chart, profit_chart
from churn.reports.html_page import render_page, template_environment
from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.card_sections import card_sections

_MARKS = re.compile(r"([\\`*\[\]|~])")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_AT_START = re.compile(r"^(#|>|[-+](?=\s)|\d+(?=[.)](\s|$)))")


def model_card_markdown(card: ModelCard) -> str:
    """Renders the card as GitHub-flavoured Markdown, without charts."""
    template = template_environment(finalize=_safe_markdown).get_template("model_card.md.j2")
    text = template.render(card=card, sections=card_sections(card), code=_code_line)
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def render_model_card(card: ModelCard) -> str:
    """Renders the card as one HTML page; the same card gives the same page."""
    sections = card_sections(card)
    names = [name for section in sections for name in section.pictures]
    light, dark = ({name: _chart(name, card, theme) for name in names} for theme in (LIGHT, DARK))
    return render_page(
        "model_card.html.j2", card=card, sections=sections, pictures=inline_pictures(light, dark)
    )


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


def _safe_markdown(value: Any) -> Any:
    from markupsafe import Markup

    return value if isinstance(value, Markup) else Markup(markdown_text(value))  # noqa: S704


def _code_line(command: str) -> Any:
    """A command inside an indented block, where no mark counts; only a new line could end it."""
    from markupsafe import Markup

    return Markup(one_line(command))  # noqa: S704


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
