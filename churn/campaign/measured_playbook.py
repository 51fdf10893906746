"""A playbook whose assumed effects are replaced by what an experiment has measured."""

from __future__ import annotations

import yaml

from churn.errors import InputError
from churn.experiments.arm_comparison import SavedShare
from churn.experiments.readout import Readout
from churn.retention.assumption import Fixed, Normal
from churn.retention.playbook import Offer, Playbook


def measured_playbook(playbook: Playbook, readout: Readout) -> Playbook:
    """Replaces the effect of every offer that the experiment has measured.

    An experiment measures what all who are contacted do, so the share saved is acceptance times
    effect. The acceptance is therefore taken as known, at its mean, and the effect is what is left.

    Raises:
        InputError: the arms' sizes are no chance, or no offer has enough outcomes in both arms.
    """
    if not readout.balanced:
        raise InputError(
            f"Experiment '{readout.experiment}' has arms of sizes that chance does not explain "
            f"(p = {readout.imbalance:.2g}), so its effect is not taken over. Find where customers "
            "went missing first."
        )
    found = measured_offers(playbook, readout)
    if not found:
        raise InputError(
            f"Experiment '{readout.experiment}' has too few outcomes of any offer of playbook "
            f"'{playbook.name}' in both arms; wait for more."
        )
    offers = {
        name: _measured(offer, found[name], readout.experiment) if name in found else offer
        for name, offer in playbook.offers.items()
    }
    return playbook.model_copy(update={"offers": offers})


def measured_offers(playbook: Playbook, readout: Readout) -> dict[str, SavedShare]:
    """What the experiment has measured of each offer of the playbook that has enough outcomes."""
    return {each.offer: each for each in readout.saved if each.offer in playbook.offers}


def playbook_text(playbook: Playbook) -> str:
    """The playbook as YAML, as `load_playbook` reads it."""
    plain = playbook.model_dump(mode="json", exclude_defaults=True)
    for offer in plain["offers"].values():
        for name, condition in offer.get("eligibility", {}).items():
            if "categories" in condition:
                offer["eligibility"][name] = condition["categories"]
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)


def _measured(offer: Offer, saved: SavedShare, experiment: str) -> Offer:
    acceptance = offer.acceptance.expected
    if acceptance == 0:
        return offer
    known = Fixed(
        distribution="fixed",
        value=acceptance,
        source=offer.acceptance.source,
        basis=f"mean of what was stated before; the experiment measures acceptance times effect. {offer.acceptance.basis}",
    )
    effect = Normal(
        distribution="normal",
        mean=min(max(saved.mean / acceptance, -1.0), 1.0),
        standard_deviation=min(saved.standard_deviation / acceptance, 1.0),
        source=f"measured in experiment {experiment}",
        basis=f"{saved.customers:,} customers of both arms with a known outcome",
    )
    return offer.model_copy(update={"acceptance": known, "effect": effect})
