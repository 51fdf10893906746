"""What a search tried and found, frozen: the artifact of a tuning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from churn.frozen_model import FrozenModel

Parameters = dict[str, int | float]


class TrialRecord(FrozenModel):
    """One trial.

    Attributes:
        number: in the order they were begun, from 0.
        state: `complete`; `pruned`, stopped early because it fell behind; or `failed`, broken off
            with the run.
        value: inner log loss; of a pruned trial, the last one seen; None of a failed one.
        parameters: the settings that were tried.
        steps: how many times it was looked at: every epoch, or every 25 trees.
        seconds: how long it took.
    """

    number: int = Field(ge=0)
    state: Literal["complete", "pruned", "failed"]
    value: float | None
    parameters: Parameters
    steps: int = Field(ge=0)
    seconds: float = Field(ge=0)

    def as_row(self) -> dict[str, int | float | str | None]:
        """One flat line for a table or a tracker."""
        kept = {"trial": self.number, "state": self.state, "inner_log_loss": self.value}
        return {**kept, **self.parameters, "steps": self.steps, "seconds": self.seconds}


class TuningReport(FrozenModel):
    """A whole search.

    Attributes:
        recipe: whose settings were searched.
        objective: what a trial was judged by, in words.
        rows: how many rows the search saw.
        seed: seed of the search and of its cuts.
        space: setting -> its range (low, high, log).
        study: the search's name in its storage; a digest of rows and settings ends it.
        trials: all trials, by number.
        best: number of the trial with the lowest value among complete ones.
        learned: settings that the best trial itself settled, such as the number of trees.
        recipe_value: inner log loss of the recipe's own settings, judged like every trial (the
            number of trees is settled by the inner folds here, too); None where the space leaves
            them out.
        importance: setting -> its share in the variance of the complete trials' values, by fANOVA
            (Hutter, Hoos & Leyton-Brown 2014, ICML); empty if they are too few.
    """

    recipe: str
    objective: str
    rows: int = Field(ge=1)
    seed: int
    space: dict[str, dict[str, int | float | bool]]
    study: str
    trials: tuple[TrialRecord, ...] = Field(min_length=1)
    best: int
    learned: Parameters
    recipe_value: float | None
    importance: dict[str, float]

    @property
    def best_trial(self) -> TrialRecord:
        """The trial that was taken."""
        return next(trial for trial in self.trials if trial.number == self.best)

    @property
    def best_value(self) -> float:
        """Its inner log loss."""
        value = self.best_trial.value
        assert value is not None  # noqa: S101 - only complete trials can be the best
        return value

    def count(self, state: str) -> int:
        """How many trials ended in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def finding(self) -> str:
        """What the search gained, in one line."""
        value = f"{self.best_value:.4f}"
        found = f"{self.recipe}: trial {self.best} reached an inner log loss of {value}"
        if self.recipe_value is None:
            return found
        if self.best_value == self.recipe_value:
            return f"{found} with the recipe's own settings: no trial was better"
        return f"{found}, {self.recipe_value - self.best_value:.4f} below the recipe's own settings"

    @property
    def sentence(self) -> str:
        """The search in words, with what its figures are not."""
        states = [f"{self.count(s)} {s}" for s in ("complete", "pruned", "failed") if self.count(s)]
        text = f"{self.finding} ({len(self.trials)} trials: {', '.join(states)}). "
        if self.importance:
            name, share = max(self.importance.items(), key=lambda entry: entry[1])
            text += f"{name} explains {share:.0%} of the differences between complete trials. "
        return text + (
            f"Trials were judged by {self.objective} of the {self.rows:,} rows given; the best of "
            "many is no estimate of performance."
        )

    def table(self) -> list[dict[str, int | float | str | None]]:
        """One line per trial."""
        return [trial.as_row() for trial in self.trials]
