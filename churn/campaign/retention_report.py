"""What a retention run has decided: cohorts, the campaign, and where its lists are."""

from __future__ import annotations

from collections import Counter

from churn.campaign.campaign_plan import AllocationFacts, CampaignPlan
from churn.campaign.scored_customers import ScoredCustomers
from churn.frozen_model import FrozenModel
from churn.retention.cohorts import Amount, Cohort
from churn.retention.roi_report import RoiReport
from churn.retention.value import RemainingMargin
from churn.run_result import RunResult


class CohortReport(FrozenModel):
    """The cohorts of a run.

    Attributes:
        model: name of the model.
        money: what an amount is followed by.
        cohorts: the most at risk first.
        at_risk: margin expected to go with those who leave, of all cohorts together.
        last: those of the model's last run; empty for the first.
    """

    model: str
    money: str
    cohorts: tuple[Cohort, ...]
    at_risk: Amount
    last: tuple[Cohort, ...] = ()

    @property
    def changes(self) -> dict[str, int | None]:
        """Cohort -> customers more than in the last run; None where it is new. Those gone are negative."""
        before = {each.id: each.customers for each in self.last}
        now = {each.id: each.customers for each in self.cohorts}
        changed: dict[str, int | None] = {
            name: count - before[name] if name in before else None for name, count in now.items()
        }
        return changed | {name: -count for name, count in before.items() if name not in now}


class RetentionReport(RunResult):
    """A retention run.

    Attributes:
        model: name of the model that scored.
        version: of it.
        money: what an amount is followed by.
        customers: decided on.
        set_aside: rows of the input that were not taken.
        called: on the call list.
        holdout: left out by chance.
        bands: customers by risk band.
        cohorts: with those of the last run.
        allocation: of the offers.
        profit: expected, with the interval of the simulated return.
        assumptions: what the amounts rest on, a sentence each.
        notes: what else a reader has to know, a sentence each.
        folder: where the lists are.
        export: where the call list is as well; empty for nowhere.
    """

    model: str
    version: str
    money: str
    customers: int
    set_aside: int
    called: int
    holdout: int
    bands: dict[str, int]
    cohorts: CohortReport
    allocation: AllocationFacts
    profit: Amount
    assumptions: tuple[str, ...]
    notes: tuple[str, ...] = ()
    folder: str
    export: str = ""

    @property
    def figures(self) -> dict[str, float]:
        """Counts and amounts, for `--json` and the run's metadata."""
        done = self.allocation
        return {
            "customers": self.customers,
            "called": self.called,
            "holdout": self.holdout,
            "cohorts": len(self.cohorts.cohorts),
            "expected_profit": round(done.profit, 2),
            "profit_lower": round(self.profit.lower, 2),
            "profit_upper": round(self.profit.upper, 2),
            "expected_cost": round(done.cost, 2),
            "gap": done.gap,
        }

    @property
    def lines(self) -> dict[str, str]:
        """Places and notes, for the terminal."""
        found = {"model": f"{self.model} version {self.version}", "lists": self.folder}
        if self.export:
            found["export"] = self.export
        return found | {f"note {at}": each for at, each in enumerate(self.notes, 1)}


def retention_report(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    cohorts: CohortReport,
    roi: RoiReport,
    *,
    notes: tuple[str, ...],
    folder: str,
    export: str,
) -> RetentionReport:
    """The report of a run whose lists are written."""
    called, done, money = int(plan.called.sum()), plan.facts, cohorts.money
    profit = roi.profit
    return RetentionReport(
        status="planned",
        sentence=(
            f"{called:,} of {len(scored.risk):,} customers to contact, expected to earn "
            f"{profit.expected:,.0f} {money} ({profit.lower:,.0f} to {profit.upper:,.0f}) for "
            f"{done.cost:,.0f}"
        ),
        model=scored.model,
        version=scored.version,
        money=money,
        customers=len(scored.risk),
        set_aside=scored.set_aside,
        called=called,
        holdout=int(plan.holdout.sum()),
        bands=dict(Counter(scored.texts["risk_band"].to_pylist())),
        cohorts=cohorts,
        allocation=done,
        profit=profit,
        assumptions=(*margin.assumptions, *plan.playbook.assumptions),
        notes=notes,
        folder=folder,
        export=export,
    )
