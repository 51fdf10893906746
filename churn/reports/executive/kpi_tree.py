"""The figures to watch as a tree: what each is, what it is made of, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass

from churn.reports.executive.evidence import Evidence


@dataclass(frozen=True)
class Kpi:
    """One figure of the tree.

    Attributes:
        name: in words.
        depth: 0 for the figure that all others are parts of.
        path: of its value in the run's artifacts.
        form: money, count or share.
        definition: how it is computed.
        owner: who answers for it; `model` for the contract's owners, `campaign` for those of the offers.
    """

    name: str
    depth: int
    path: str
    form: str
    definition: str
    owner: str


KPIS = (
    Kpi("Retention profit", 0, "roi.figures.profit.value", "money", "Margin kept less cost", "Finance"),
    Kpi("Margin kept", 1, "roi.figures.saved.value", "money", "Remaining margin of those who stay because of an offer", "campaign"),
    Kpi("Customers contacted", 2, "retention.called", "count", "Customers on the call list", "campaign"),
    Kpi("Churn without contact", 2, "roi.holdout.rate_without", "share", "Share of the contacted expected to leave; the holdout measures it", "model"),
    Kpi("Churn with contact", 2, "roi.holdout.rate_with", "share", "The same if contacted; the treated measure it", "campaign"),
    Kpi("Margin at risk", 1, "retention.cohorts.at_risk.expected", "money", "Remaining margin of all customers expected to go with those who leave", "Finance"),
    Kpi("Cost", 1, "roi.figures.cost.value", "money", "Contacts and incentives", "campaign"),
    Kpi("Chance of a loss", 1, "roi.loss_chance", "share", "Share of the simulated campaigns that lose money", "Finance"),
    Kpi("Power of the experiment", 1, "experiment.power", "share", "Chance that one campaign shows the least effect worth knowing", "model"),
)  # fmt: skip


def kpi_rows(seen: Evidence) -> tuple[tuple[str, str, str, str], ...]:
    """Name, value, definition and owner of each, parts indented below their whole."""
    owners = {
        "model": seen.business.owners or "Model owner",
        "campaign": ", ".join(sorted({each.owner for each in seen.roi.offers})),
    }
    forms = {"money": seen.money, "count": seen.count, "share": seen.share}
    return tuple(
        (
            f"{'    ' * each.depth}{each.name}",
            forms[each.form](each.path),
            each.definition,
            owners.get(each.owner, each.owner),
        )
        for each in KPIS
    )
