"""This project's own flavors; read without ZenML, wherever a stack file is read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class OwnFlavor(NamedTuple):
    """How a flavor is registered.

    Attributes:
        component_type: ZenML's name of the component's type.
        source: Import path of the flavor's class.
        modules: Modules that its components import.
    """

    component_type: str
    source: str
    modules: tuple[str, ...]


FLAVORS: Mapping[str, OwnFlavor] = MappingProxyType(
    {
        "churn-great-expectations": OwnFlavor(
            "data_validator",
            "stacks.flavors.great_expectations_validator.GreatExpectationsFlavor",
            ("great_expectations",),
        ),
        "churn-deepchecks": OwnFlavor(
            "data_validator",
            "stacks.flavors.deepchecks_validator.DeepchecksFlavor",
            ("deepchecks",),
        ),
        "churn-evidently": OwnFlavor(
            "data_validator",
            "stacks.flavors.evidently_validator.EvidentlyFlavor",
            ("evidently",),
        ),
        "churn-email": OwnFlavor("alerter", "stacks.flavors.email_alerter.EmailFlavor", ()),
        "churn-webhook": OwnFlavor("alerter", "stacks.flavors.webhook_alerter.WebhookFlavor", ()),
    }
)
"""Name of a flavor -> how it is registered."""
