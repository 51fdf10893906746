"""Charts and tables as a notebook shows them, here and on the page that is made from it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence

from matplotlib.figure import Figure

from churn.reports.charts.chart_style import DARK, LIGHT, Theme, inline_pictures

_MARKUP = re.compile(r"[\\`*_{}\[\]<>|#$&~]")


def chart_html(draw: Callable[[Theme], Figure]) -> str:
    """A chart in both themes as HTML, the dark one hidden until a page's style shows it.

    The caption is for narrow screens, where the picture's own title is small.
    """
    picture = inline_pictures({"chart": draw(LIGHT)}, {"chart": draw(DARK)})["chart"]
    alt = html.escape(picture["alt"], quote=True)
    return (
        f'<figure class="chart"><figcaption>{alt}</figcaption><img alt="{alt}" src="{picture["light"]}#only-light">'
        f'<img alt="{alt}" src="{picture["dark"]}#only-dark" hidden></figure>'
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; what the cells say is never read as markup.

    Examples:
        >>> print(markdown_table(["group", "left"], [["a|b", "12%"]]))
        | group | left |
        |---|---|
        | a&#124;b | 12% |
    """
    lines = [header, *rows]
    first, *rest = ["| " + " | ".join(map(plain_markdown, line)) + " |" for line in lines]
    return "\n".join([first, "|" + "---|" * len(header), *rest])


def folded(summary: str, table: str) -> str:
    """A table that a reader opens: every chart's figures, for who cannot see it, too."""
    return f'<details markdown="1">\n<summary>{html.escape(summary)}</summary>\n\n{table}\n\n</details>'


def plain_markdown(text: str) -> str:
    """A text of a table or contract as Markdown that shows it as it is."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))
