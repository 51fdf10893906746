"""Whether tenure counts otherwise under another contract, compared at the same tenure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract, NumberColumn, Role
from churn.explain.explanation_report import FEWEST, Interaction, TermLine
from churn.explain.grouping import Contributions, Grouping
from churn.features.encoding import Columns, Floats

_BANDS = 16
_FINE = 200  # tenures at which terms are compared: as they are where few, else in so many bins


def interaction(
    features: Sequence[str], rows: Columns, parts: Contributions, contract: DataContract
) -> Interaction | None:
    """How tenure's contribution differs between contract terms; `features` are the model's own.

    None where the contract lacks exactly one number of tenure or one contract term, or the model
    does not look at tenure.
    """
    tenures = [c for c in contract.with_role(Role.TENURE) if isinstance(c, NumberColumn)]
    terms = [c for c in contract.with_role(Role.CONTRACT_TERM) if not isinstance(c, NumberColumn)]
    if len(tenures) != 1 or len(terms) != 1 or tenures[0].name not in parts.columns:
        return None
    (tenure,), (term,) = tenures, terms
    months, found = rows[tenure.name], parts.column(tenure.name)
    band = quantile_groups(months, min(_BANDS, len(months) // (2 * FEWEST)))
    apart = found - _mean_at_same(months, found)
    lines, heights = [], np.full((len(term.categories), int(band.max()) + 1), np.nan)
    for code, label in enumerate(term.categories):
        points = []
        for number in range(heights.shape[1]):
            everyone = band == number
            inside = everyone & (rows[term.name] == code)
            if inside.sum() < FEWEST:
                continue
            # At the months that the whole band has, so that terms are compared alike.
            heights[code, number] = found[everyone].mean() + apart[inside].mean()
            points.append((months[everyone].mean(), heights[code, number], inside.sum()))
        if points:
            lines.append(_line(label, points))
    largest, largest_at, typical = _gaps(heights, band, months)
    grouping = Grouping.from_features(features, contract)
    return Interaction(
        column=tenure.name,
        by=term.name,
        unit=tenure.unit,
        lines=tuple(lines),
        largest=largest,
        largest_at=largest_at,
        typical=typical,
        carried_by=tuple(
            name
            for name, places in zip(features, grouping.places, strict=True)
            if {tenure.name, term.name} <= {grouping.columns[place] for place in places}
        ),
    )


def _line(term: str, points: Sequence[tuple[float, float, int]]) -> TermLine:
    months, means, counts = zip(*points, strict=True)
    return TermLine(
        term=term,
        months=tuple(map(float, months)),
        means=tuple(map(float, means)),
        rows=tuple(map(int, counts)),
    )


def quantile_groups(values: NDArray[Any], most: int) -> NDArray[np.intp]:
    """Which of at most so many groups, alike in size, each value falls into."""
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)[1:-1]))
    return np.asarray(cuts.searchsorted(values, side="right"), dtype=np.intp)


def _mean_at_same(values: NDArray[Any], found: Floats) -> Floats:
    """Mean of `found` over the rows of the same value (of the same fine bin, where many)."""
    different, group = np.unique(values, return_inverse=True)
    if len(different) > _FINE:
        group = quantile_groups(values, _FINE)
    sums = np.bincount(group, weights=found)
    return np.asarray((sums / np.maximum(np.bincount(group), 1))[group])


def _gaps(
    heights: Floats, band: NDArray[np.intp], months: Floats
) -> tuple[float, float, float] | tuple[None, None, None]:
    """The largest gap between terms, the tenure it lies at, and the mean over customers, if any."""
    compared = np.isfinite(heights).sum(axis=0) > 1
    if not compared.any():
        return None, None, None
    gaps = np.zeros(heights.shape[1])
    inside = heights[:, compared]
    gaps[compared] = np.nanmax(inside, axis=0) - np.nanmin(inside, axis=0)
    widest = int(np.argmax(gaps))
    seen = compared[band]
    return (
        float(gaps[widest]),
        float(months[band == widest].mean()),
        float(gaps[band[seen]].mean()),
    )
