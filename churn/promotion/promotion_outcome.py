"""The versions that a promotion compares, and the outcome."""

from __future__ import annotations

from typing import Literal

from churn.frozen_model import FrozenModel
from churn.profile import DEMO


class PromotionPair(FrozenModel):
    """Versions of the challenger and of the champion it is judged against, if there is one.

    Attributes:
        profile: profile that the challenger was trained with; None where it was not recorded.
    """

    model: str
    challenger: str
    champion: str | None
    profile: str | None = None

    @property
    def unchanged(self) -> bool:
        """Whether the challenger is in production already."""
        return self.challenger == self.champion

    @property
    def place(self) -> str:
        """Where the challenger is once it is promoted, in words."""
        return "published as a demonstration" if self.profile == DEMO else "in production"

    @property
    def sentence(self) -> str:
        """The pair in words."""
        if self.unchanged:
            return f"{self.model} version {self.challenger} is {self.place} already"
        against = f"against {self.champion}" if self.champion else "with no champion yet"
        return f"{self.model} version {self.challenger} {against}"


class PromotionOutcome(FrozenModel):
    """What followed from a decision.

    Attributes:
        status: promoted; unchanged, because it is in production already; waiting for a person's
            approval; judged, as only that was asked; kept back by a gate; restored by a rollback; or what a dry run would restore.
        version: the version this is about.
        before: the version in production before; None where there was none.
        bundle: where the bundle lies that serves now; None where nothing changed.
        alias: the tracker's alias that points to it now; None on a stack without a registry.
        approved_by: who approved, where approval is required.
        profile: profile that the version was trained with; None where it was not recorded.
    """

    status: Literal[
        "promoted", "unchanged", "waiting", "judged", "kept back", "restored", "dry run"
    ]
    model: str
    version: str
    before: str | None
    bundle: str | None = None
    alias: str | None = None
    approved_by: str | None = None
    profile: str | None = None
    sentence: str
