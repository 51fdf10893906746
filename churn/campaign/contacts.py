"""The customers of a campaign by offer, and those of the holdout who would have been contacted."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from churn.campaign.campaign_plan import CampaignPlan, plan_campaign
from churn.campaign.scored_customers import ScoredCustomers
from churn.experiments.assignment import HOLDOUT, TREATED, assign_arms
from churn.experiments.assignments import Assigned
from churn.retention.cohorts import value_thirds
from churn.retention.offer_profit import incentive_of
from churn.retention.playbook import Playbook
from churn.retention.roi import OfferContacts
from churn.retention.value import RemainingMargin, monthly_charge

Places = NDArray[np.int64]


def offer_contacts(
    scored: ScoredCustomers, margin: RemainingMargin, playbook: Playbook, chosen: Places
) -> dict[str, OfferContacts]:
    """The contacted customers of each offer that anybody gets.

    Args:
        scored: n customers.
        margin: what each is expected still to bring.
        playbook: the offers.
        chosen: int64[n], place of each customer's offer; -1 for none.
    """
    charge = monthly_charge(scored.columns, scored.contract)
    found = {}
    for place, (name, offer) in enumerate(playbook.offers.items()):
        rows = np.flatnonzero(chosen == place)
        if len(rows) == 0:
            continue
        incentive = incentive_of(offer, None if charge is None else charge[rows])
        found[name] = OfferContacts(
            name=name,
            offer=offer,
            risk=scored.risk[rows],
            margin=margin.expected[rows],
            margin_draws=margin.draws[rows],
            incentive=np.broadcast_to(np.asarray(incentive, dtype=np.float64), len(rows)),
        )
    return found


def campaign_holdout(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    share: float,
    salt: str,
    earlier: Mapping[str, str],
) -> NDArray[np.bool_]:
    """Who is left out by chance, bool[n]: balanced within strata; who has an arm already keeps it."""
    ids = scored.texts["customer_id"].to_pylist()
    arms = assign_arms(
        ids,
        strata(scored, margin),
        {HOLDOUT: share, TREATED: 1 - share},
        salt=salt,
        earlier=earlier,
    )
    return np.asarray(arms == HOLDOUT)


def holdout_offers(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    *,
    kept_out: Mapping[int, str],
    seed: int,
) -> Places:
    """The offer that each customer of the holdout would have got, int64[n]; -1 for none.

    The same allocation decides on the holdout alone, with its share of every limit. So the two arms
    are selected by one rule, and differ by nothing but the contact.
    """
    if not plan.holdout.any():
        return np.full(len(plan.holdout), -1)
    share = float(plan.holdout.mean())
    shadow = plan_campaign(
        scored,
        margin,
        _scaled(plan.playbook, share / (1 - share), zlib.crc32(plan.chosen.tobytes())),
        kept_out=kept_out,
        holdout=~plan.holdout,
        money="",
        seed=seed,
    )
    return shadow.chosen


def assigned_customers(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    would_get: Places,
    *,
    experiment: str,
    day: date,
) -> list[Assigned]:
    """Every customer with the arm, and the offer that is or would have been made."""
    names = np.asarray([*plan.playbook.offers, ""])
    offers = names[np.where(plan.holdout, would_get, plan.chosen)]
    arms = np.where(plan.holdout, HOLDOUT, TREATED)
    rows = zip(
        scored.texts["customer_id"].to_pylist(),
        arms.tolist(),
        strata(scored, margin),
        offers.tolist(),
        scored.risk.tolist(),
        strict=True,
    )
    return [
        Assigned(
            experiment=experiment, customer=customer, assigned_on=day, arm=arm, stratum=stratum,
            offer=offer, risk=risk,
        )
        for customer, arm, stratum, offer, risk in rows
    ]  # fmt: skip


def strata(scored: ScoredCustomers, margin: RemainingMargin) -> Sequence[str]:
    """The stratum of each of n customers, within which arms are balanced: risk band and third of the values."""
    thirds = value_thirds(margin.expected)
    return [f"{b}/{t}" for b, t in zip(scored.text("risk_band"), thirds, strict=True)]


def _scaled(playbook: Playbook, times: float, seed: int) -> Playbook:
    """The playbook with limits so many times as high; rounded up or down by chance, to be right on average."""
    rng = np.random.default_rng(seed)

    def part(customers: int) -> int:
        return int(customers * times + rng.random())

    return playbook.model_copy(
        update={
            "budget": None if playbook.budget is None else playbook.budget * times,
            "contacts": None if playbook.contacts is None else part(playbook.contacts),
            "channels": {
                name: channel.model_copy(update={"contacts": part(channel.contacts)})
                for name, channel in playbook.channels.items()
            },
            "offers": {
                name: offer.model_copy(update={"capacity": part(offer.capacity)})
                for name, offer in playbook.offers.items()
            },
        }
    )
