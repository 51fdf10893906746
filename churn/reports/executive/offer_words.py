"""The assumptions of the offers in a table's words."""

from __future__ import annotations

from churn.reports.executive.evidence import Evidence
from churn.retention.roi import MARGIN
from churn.retention.roi_report import RoiReport

_KINDS = ("contact", "incentive", "acceptance", "effect", "free_riders")


def assumption_words(roi: RoiReport, name: str) -> str:
    """An assumption's title; its name where it is none of an offer."""
    return next((each.title for each in roi.assumptions if each.name == name), name)


def offer_assumptions(seen: Evidence) -> tuple[tuple[str, ...], ...]:
    """A row for each offer: its costs, its shares with their ranges, and their sources."""
    places = {each.name: at for at, each in enumerate(seen.roi.assumptions)}
    rows = []
    for offer in seen.roi.offers:
        at = [places[f"{offer.name}.{kind}"] for kind in _KINDS]
        sources = sorted({seen.roi.assumptions[place].source for place in at})
        rows.append(
            (
                offer.title,
                *(seen.state(f"roi.assumptions.{place}.mean", ",.2f") for place in at[:2]),
                *(_share(seen, place) for place in at[2:]),
                ", ".join(sources),
            )
        )
    return tuple(rows)


def margin_sentence(seen: Evidence) -> str:
    """What a contacted customer is expected still to bring, with its range where it has one."""
    found = next(at for at, each in enumerate(seen.roi.assumptions) if each.name == MARGIN)
    place, it = f"roi.assumptions.{found}", seen.roi.assumptions[found]
    spread = f" ({seen.money_range(place)})" if it.lower < it.upper else ""
    return (
        f"A contacted customer is expected to bring {seen.money(f'{place}.mean')} still, on "
        f"average{spread}; {it.source}."
    )


def _share(seen: Evidence, place: int) -> str:
    path = f"roi.assumptions.{place}"
    mean, lower, upper = (seen.state(f"{path}.{end}", ".0%") for end in ("mean", "lower", "upper"))
    return mean if lower == upper else f"{mean} ({lower} to {upper})"
