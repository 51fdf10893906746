"""Which flavors are this project's own. Light: read wherever a stack file is, without ZenML."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class OwnFlavor(NamedTuple):
    """A flavor as it is registered.

    Attributes:
        component_type: ZenML's name for what it is.
        source: Where its class is.
        modules: What must be importable for its components to work.
        installed_by: The make target that installs those.
    """

    component_type: str
    source: str
    modules: tuple[str, ...]
    installed_by: str


FLAVORS: Mapping[str, OwnFlavor] = MappingProxyType(
    {
        "churn-great-expectations": OwnFlavor(
            "data_validator",
            "stacks.flavors.great_expectations_validator.GreatExpectationsFlavor",
            ("great_expectations",),
            "setup",
        ),
        "churn-deepchecks": OwnFlavor(
            "data_validator",
            "stacks.flavors.deepchecks_validator.DeepchecksFlavor",
            ("deepchecks",),
            "setup-stacks",
        ),
        "churn-evidently": OwnFlavor(
            "data_validator",
            "stacks.flavors.evidently_validator.EvidentlyFlavor",
            ("evidently",),
            "setup-stacks",
        ),
        "churn-webhook": OwnFlavor(
            "alerter", "stacks.flavors.webhook_alerter.WebhookFlavor", (), "setup"
        ),
    }
)
"""Flavor -> what registering and using it takes."""
