"""Profiles of a training: how much of the protocol it does, and where its model may go."""

from __future__ import annotations

from typing import Literal

Profile = Literal["full", "quick", "deep", "demo"]

WHOLE_PROFILES = ("full", "deep")
"""Profiles that run the whole protocol."""
DEMO = "demo"
"""The profile of tests and tutorials: as little work as `quick`, in a registry and a store of its own."""
_DEMO_MODEL = "-demo"


def is_demo_model(name: str) -> bool:
    """Whether a model's name says that it is a demonstration, which is never in production."""
    return name.endswith(_DEMO_MODEL)


def model_name(contract: str, profile: str) -> str:
    """The name of a contract's model, where the settings give none.

    Examples:
        >>> model_name("telco", "full"), model_name("mlc_churn", "demo")
        ('telco-churn', 'mlc-churn-demo')
    """
    name = contract.replace("_", "-").removesuffix("-churn")
    return f"{name}-churn{_DEMO_MODEL if profile == DEMO else ''}"


def require_own_registry(profile: str, model: str) -> None:
    """Refuses a demonstration under the name of a real model, and the reverse.

    An empty name is not settled yet.

    Raises:
        ValueError: they do not go together.
    """
    if not model:
        return
    if profile == DEMO and not is_demo_model(model):
        raise ValueError(
            f"profile=demo is for no production, so its model's name ends in {_DEMO_MODEL}, "
            f"not '{model}'"
        )
    if profile != DEMO and is_demo_model(model):
        raise ValueError(f"the model '{model}' is a demonstration; name profile=demo, too")


def profile_note(profile: str | None) -> str | None:
    """What is to be known about a model of this profile before it is relied on; None for nothing."""
    if profile in WHOLE_PROFILES:
        return None
    if profile is None:
        return "With which profile it was trained is not recorded."
    if profile == DEMO:
        return "A demonstration, trained with profile=demo: not for production."
    return f"Trained with profile={profile}: its figures are not the protocol's."
