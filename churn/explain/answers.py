"""The answer to "what would have to be otherwise?": ways to a lower risk, each with its sentence."""

from __future__ import annotations

from churn.frozen_model import FrozenModel

CAVEAT = (
    "An association in the model, not a promised effect: customers who are like this left less "
    "often, which does not show that an offer keeps a customer; only an experiment can."
)


class Change(FrozenModel):
    """One column that would be otherwise.

    Attributes:
        column: of the table.
        before: its category now.
        after: its category then.
        follows: whether it only follows from another change.
    """

    column: str
    before: str
    after: str
    follows: bool


class Counterfactual(FrozenModel):
    """One way to a lower risk.

    Attributes:
        sentence: to be read out, together with the caveat.
        changes: what is proposed, and what follows from it.
        risk: the model's probability for the changed row.
        bill_before: monthly bill now; None where the contract has none.
        bill_after: monthly bill then; the same where nothing that is priced changes.
        bill_held: whether a service changes whose price is not known.
        row: the changed row by column, categories as texts.
    """

    sentence: str
    changes: tuple[Change, ...]
    risk: float
    bill_before: float | None
    bill_after: float | None
    bill_held: bool
    row: dict[str, str | float]

    @property
    def offers(self) -> int:
        """How many things are proposed."""
        return sum(not change.follows for change in self.changes)


class Counterfactuals(FrozenModel):
    """What would lower one customer's risk.

    Attributes:
        risk: the model's probability now.
        threshold: what the risk was to fall below; None where it was to fall as far as it can.
        reached: whether it can (or already is); True without a threshold.
        found: fewest changes first, then the lowest risk.
        sentence: the whole answer in one.
        caveat: what none of this promises.
    """

    risk: float
    threshold: float | None
    reached: bool
    found: tuple[Counterfactual, ...]
    sentence: str
    caveat: str = CAVEAT
