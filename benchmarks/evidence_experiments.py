"""How often planned looks find what is not there, and how often a return's interval holds the truth.

    python -m benchmarks.evidence_experiments [--seed 7]

Prints Markdown. The first table simulates experiments without any effect (A/A); the second one draws
the truth of campaigns from the playbook's own assumptions, runs each campaign customer by customer, and
counts how often the interval that was computed before holds what it earned. A second world breaks the
assumptions: offers keep half of what is assumed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.experiments.sequential import crossing_probabilities, equal_information, lan_demets
from churn.retention.playbook import Offer
from churn.retention.playbook_file import load_playbook
from churn.retention.roi import OfferContacts, drawn_assumptions, simulate_campaign

Floats = NDArray[np.float64]
TESTS, CAMPAIGNS, CUSTOMERS, LOOKS = 20_000, 500, 150, 5


@dataclass(frozen=True)
class Coverage:
    """How often intervals hold what campaigns earned."""

    world: str
    campaigns: int
    covered: float


def false_findings(
    rng: np.random.Generator, bounds: Sequence[float], rate: float, holdout: int, treated: int
) -> float:
    """Share of A/A experiments in which some look reaches its bound.

    Args:
        rng: draws the outcomes.
        bounds: |z| of each look.
        rate: churn of both arms.
        holdout: customers of a look in the holdout.
        treated: the same of the treated.
    """
    looks = len(bounds)
    left = [rng.binomial(size, rate, (TESTS, looks)).cumsum(axis=1) for size in (treated, holdout)]
    known = [size * np.arange(1, looks + 1) for size in (treated, holdout)]
    pooled = (left[0] + left[1]) / (known[0] + known[1])
    spread = np.sqrt(pooled * (1 - pooled) * (1 / known[0] + 1 / known[1]))
    difference = left[0] / known[0] - left[1] / known[1]
    z = np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 0)
    return float((np.abs(z) >= np.asarray(bounds)).any(axis=1).mean())


def coverage(rng: np.random.Generator, world: str, effect_times: float) -> Coverage:
    """Runs campaigns whose truth comes from the assumptions, their effects scaled."""
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    playbook = load_playbook(ROOT / "data" / "playbooks" / "telco.yaml", contract)
    held = 0
    for campaign in range(CAMPAIGNS):
        contacts = {
            name: some_customers(name, offer, rng) for name, offer in playbook.offers.items()
        }
        simulated = simulate_campaign(contacts, draws=4000, seed=campaign)
        lower, upper = simulated.interval()
        draw = int(rng.integers(next(iter(contacts.values())).margin_draws.shape[1]))
        earned = sum(earns(each, rng, draw, effect_times) for each in contacts.values())
        held += lower <= earned <= upper
    return Coverage(world, CAMPAIGNS, held / CAMPAIGNS)


def some_customers(name: str, offer: Offer, rng: np.random.Generator) -> OfferContacts:
    """Customers of one offer, as the shipped table has them."""
    worth = rng.lognormal(5.8, 0.6, CUSTOMERS)
    parameter = rng.normal(1, 0.08, 100)
    charge = rng.uniform(20, 110, CUSTOMERS)
    return OfferContacts(
        name=name,
        offer=offer,
        risk=rng.beta(2.5, 3, CUSTOMERS),
        margin=worth,
        margin_draws=(worth[:, None] * parameter).astype(np.float32),
        incentive=offer.cost.incentive + offer.cost.bills * charge,
    )


def earns(
    contacts: OfferContacts, rng: np.random.Generator, draw: int, effect_times: float
) -> float:
    """What one campaign earns with an offer: each customer leaves, takes it and stays by chance."""
    acceptance, effect, riders = (
        float(each[0]) for each in drawn_assumptions(contacts.offer, rng, 1)
    )
    effect *= effect_times
    count = len(contacts.risk)
    leaves = rng.random(count) < contacts.risk
    takes = rng.random(count) < np.where(leaves, acceptance, riders)
    stays = leaves & takes & (rng.random(count) < abs(effect))
    kept = np.sign(effect) * contacts.margin_draws[:, draw] * stays
    cost = contacts.incentive * takes
    return float((kept - cost).sum() - contacts.offer.cost.contact * count)


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=7)
    rng = np.random.default_rng(parser.parse_args().seed)
    planned = lan_demets(equal_information(LOOKS)).tolist()
    print(f"| {TESTS:,} A/A experiments | looks | false findings | exact for normal data |")
    print("|---|---|---|---|")
    for rate, holdout, treated in ((0.265, 842, 842), (0.45, 250, 1000), (0.05, 400, 1600)):
        for words, bounds in (
            ("planned bounds", planned),
            ("1.96 at each", [1.96] * LOOKS),
            ("1.96 at each", [1.96] * 12),
        ):
            found = false_findings(rng, bounds, rate, holdout, treated)
            exact = crossing_probabilities(bounds, equal_information(len(bounds))).sum()
            arms = f"churn {rate:.1%}, {holdout} and {treated} a look, {words}"
            print(f"| {arms} | {len(bounds)} | {found:.2%} | {exact:.2%} |")
    print("\n| campaigns | world | the 95% interval holds what was earned |")
    print("|---|---|---|")
    for world, times in (("truth drawn from the playbook", 1.0), ("offers keep half of it", 0.5)):
        result = coverage(rng, world, times)
        print(f"| {result.campaigns} | {result.world} | {result.covered:.1%} |")


if __name__ == "__main__":
    main()
