"""Page of a customer table: its size, churn rate and columns in aggregate; it shows no customer."""

from __future__ import annotations

from churn.contract import DateColumn, IdColumn, NumberColumn
from churn.data.dataset import Dataset
from churn.reports.html_page import render_page

_POINTS = {"lowest": 0.0, "quarter": 0.25, "median": 0.5, "three quarters": 0.75, "highest": 1.0}


def column_summaries(dataset: Dataset) -> list[dict[str, str]]:
    """Returns for each column of the contract `name`, `meaning`, `kind` and `holds`, in words.

    Of a category it holds shares, of a number quartiles, of the id only how many there are.
    """
    rows = []
    for column in dataset.contract.columns:
        values = dataset.frame[column.name]
        if isinstance(column, IdColumn):
            holds = f"{values.nunique():,} different"
        elif isinstance(column, DateColumn):
            holds = f"{values.min()} to {values.max()}"
        elif isinstance(column, NumberColumn):
            pairs = zip(_POINTS, values.quantile([*_POINTS.values()]), strict=True)
            points = ", ".join(f"{name} {value:,.10g}" for name, value in pairs)
            holds = f"{points} ({column.unit})"
        else:
            shares = values.value_counts(normalize=True, sort=False)
            holds = ", ".join(f"{name} {shares[name]:.1%}" for name in column.categories)
        rows.append(
            {"name": column.name, "kind": column.kind, "meaning": column.meaning, "holds": holds}
        )
    return rows


def render_dataset_page(dataset: Dataset) -> str:
    """Renders the page; the same table gives the same page."""
    return render_page("dataset.html.j2", dataset=dataset, columns=column_summaries(dataset))
