"""What the simulator of customers sends, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from churn.data.generator import GeneratorSettings
from churn.errors import InputError
from churn.frozen_model import FrozenModel, requirement

Share = Annotated[float, Field(ge=0, le=1)]
UPDATES = ("partial", "late", "out_of_order")
"""The kinds that carry only what changed."""


class SimulatorSettings(FrozenModel):
    """What is sent.

    Attributes:
        rate: events a second, on average.
        events: how many events; None for no end.
        seconds: how long; None for no end.
        customers: so many different customers.
        seed: equal seeds send equal events.
        scenario: drift of the customers, one of the generator's; empty for none.
        partial: share of updates that carry only what changed.
        late: share of updates that happened minutes or hours before they are sent.
        out_of_order: share of updates that happened before the customer's last one.
        duplicated: share of events that were sent before, byte for byte.
        poison: share of messages that cannot be scored.
        bursts: share of each second's events that come at one moment.
    """

    rate: float = Field(100.0, gt=0, le=1e6)
    events: int | None = Field(None, ge=1)
    seconds: float | None = Field(None, gt=0)
    customers: int = Field(1000, ge=1, le=1_000_000)
    seed: int = Field(7, ge=0, lt=2**63)
    scenario: str = ""
    partial: Share = 0.3
    late: Share = 0.02
    out_of_order: Share = 0.02
    duplicated: Share = 0.02
    poison: Share = 0.01
    bursts: Share = 0.2

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The settings of a command's values, which may be texts.

        Raises:
            InputError: one is not valid.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if not first["loc"]:
                raise InputError(f"{requirement(first)}.") from None
            name = str(first["loc"][0])
            raise InputError(
                f"The simulator's {name.replace('_', '-')} is '{given[name]}', but it "
                f"{requirement(first)}."
            ) from None

    @model_validator(mode="after")
    def _require_shares(self) -> Self:
        shares = (self.partial, self.late, self.out_of_order, self.duplicated, self.poison)
        if (total := sum(shares)) > 1 + 1e-9:
            raise ValueError(
                "The shares of partial, late, out-of-order, duplicated and poison events add up to "
                f"{total:g}, which is more than 1"
            )
        return self

    @property
    def has_updates(self) -> bool:
        """Whether some events carry only what changed."""
        return bool(self.partial or self.late or self.out_of_order)

    @property
    def generator(self) -> GeneratorSettings:
        """How the customers are generated.

        Raises:
            InputError: there is no such scenario.
        """
        return GeneratorSettings.read(
            {"rows": self.customers, "seed": self.seed, "scenario": self.scenario}
        )
