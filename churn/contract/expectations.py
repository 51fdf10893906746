"""What is expected of a whole table, beyond its single cells."""

from __future__ import annotations

from pydantic import Field, model_validator

from churn.frozen_model import FrozenModel


class ChargeRule(FrozenModel):
    """Total charges agree with tenure x monthly charges.

    Holds where |total - tenure * monthly| <= absolute + relative * tenure * monthly; at least
    `mostly` of the rows must hold (prices change over a customer's life).
    """

    absolute: float = Field(ge=0)
    relative: float = Field(ge=0)
    mostly: float = Field(gt=0, le=1)


class ImplicationRule(FrozenModel):
    """`column` has `value` exactly where `follows_column` has `follows_value`."""

    column: str
    value: str
    follows_column: str
    follows_value: str


class Bounds(FrozenModel):
    """A closed interval."""

    minimum: float
    maximum: float

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.minimum > self.maximum:
            raise ValueError("minimum must not lie above maximum")
        return self


class AcceptedSnapshot(FrozenModel):
    """The table this contract was accepted on; new data is compared with it."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Expectations(FrozenModel):
    """What the quality gate holds a whole table to, beyond its single cells."""

    rows: Bounds
    target_rate: Bounds
    psi_warning: float = Field(gt=0)
    psi_critical: float = Field(gt=0)
    charges: ChargeRule | None = None
    implications: tuple[ImplicationRule, ...] = ()

    @model_validator(mode="after")
    def _warned_before_refused(self) -> Expectations:
        if self.psi_warning > self.psi_critical:
            raise ValueError("psi_warning must not lie above psi_critical")
        return self
