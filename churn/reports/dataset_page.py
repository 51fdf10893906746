"""A table on one page for people: its size, its churn rate, each column in aggregate; no customer."""

from __future__ import annotations

from pathlib import Path

from churn.contract import IdColumn, NumberColumn
from churn.data.dataset import Dataset

_TEMPLATES = Path(__file__).parent / "templates"
_POINTS = (
    ("lowest", 0.0),
    ("quarter", 0.25),
    ("median", 0.5),
    ("three quarters", 0.75),
    ("highest", 1.0),
)


def summary(dataset: Dataset) -> list[dict[str, str]]:
    """What each column holds, in words.

    Returns:
        For each column of the contract: `name`, `meaning`, `kind` and `holds`; shares of
        categories, quartiles of numbers, for the id only how many there are.
    """
    rows = []
    for column in dataset.contract.columns:
        values = dataset.frame[column.name]
        if isinstance(column, IdColumn):
            holds = f"{values.nunique():,} different"
        elif isinstance(column, NumberColumn):
            points = values.quantile([point for _, point in _POINTS])
            pairs = zip(_POINTS, points, strict=True)
            holds = ", ".join(f"{name} {value:,.10g}" for (name, _), value in pairs)
            holds = f"{holds} ({column.unit})"
        else:
            shares = values.value_counts(normalize=True, sort=False)
            holds = ", ".join(f"{name} {shares[name]:.1%}" for name in column.categories)
        rows.append(
            {"name": column.name, "kind": column.kind, "meaning": column.meaning, "holds": holds}
        )
    return rows


def render_html(dataset: Dataset) -> str:
    """The page: one self-contained HTML file; the same table gives the same page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("customers.html.j2")
    return template.render(dataset=dataset, columns=summary(dataset))
