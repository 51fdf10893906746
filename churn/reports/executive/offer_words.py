"""The assumptions of the offers in a table's words."""

from __future__ import annotations

from churn.reports.executive.evidence import Evidence
from churn.retention.roi_report import RoiReport

_KINDS = ("contact", "acceptance", "effect", "free_riders")


def assumption_words(roi: RoiReport, name: str) -> str:
    """An assumption's title; its name where it is none of an offer."""
    return next((each.title for each in roi.assumptions if each.name == name), name)


def offer_assumptions(seen: Evidence) -> tuple[tuple[str, ...], ...]:
    """A row for each offer: its cost of a contact, its shares with their ranges, and their sources."""
    places = {each.name: at for at, each in enumerate(seen.roi.assumptions)}
    rows = []
    for offer in seen.roi.offers:
        at = [places[f"{offer.name}.{kind}"] for kind in _KINDS]
        sources = sorted({seen.roi.assumptions[place].source for place in at})
        rows.append(
            (
                offer.title,
                f"{seen.state(f'roi.assumptions.{at[0]}.mean', ',.2f')} {seen.roi.money}",
                *(_share(seen, place) for place in at[1:]),
                ", ".join(sources),
            )
        )
    return tuple(rows)


def _share(seen: Evidence, place: int) -> str:
    path = f"roi.assumptions.{place}"
    mean, lower, upper = (seen.state(f"{path}.{end}", ".0%") for end in ("mean", "lower", "upper"))
    return mean if lower == upper else f"{mean} ({lower} to {upper})"
