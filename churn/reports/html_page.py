"""The one environment that renders every HTML page and the Markdown card.

A page is self-contained: nothing is fetched and no script runs. It follows the reader's light or
dark setting, prints on paper and reads on a phone. Whatever came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def template_environment(finalize: Callable[[Any], Any] | None = None) -> Environment:
    """Environment of the templates: escapes, and fails on a name that has no value.

    Args:
        finalize: Applied to every value before it is written; escaping alone by default.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    environment.filters["thousands"] = "{:,}".format
    return environment


def render_page(template: str, **values: Any) -> str:
    """Renders a template as one HTML file; equal values give an equal page."""
    return template_environment().get_template(template).render(values)
