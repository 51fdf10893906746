"""How a trial is judged: inner log loss, reported step by step, so that a poor trial is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from churn.features.encoding import Columns, Floats
from churn.models.candidate import Target
from churn.models.network.tabular_net import TabularNetCandidate
from churn.models.recipe_settings import TunedGbmSettings, TunedTabularNetSettings
from churn.models.trees.gbm import GbmCandidate
from churn.tuning.search_report import Parameters

Report = Callable[[int, float], None]
"""Called with every step and its value; may raise to end the trial."""

_TREES_AT_A_TIME = 25
_PATIENCE = 4  # looks without a gain after which no more trees are grown


@dataclass(frozen=True)
class Judged:
    """Result of a trial.

    Attributes:
        value: inner log loss, the lower the better.
        learned: settings that the trial itself settled.
    """

    value: float
    learned: Parameters


class Objective(Protocol):
    """Judges settings on given rows."""

    @property
    def words(self) -> str:
        """What it measures; goes before `of the n rows given`."""

    @property
    def warm_up(self) -> int:
        """Steps that every trial is granted before it can be stopped."""

    def __call__(self, parameters: Parameters, report: Report) -> Judged:
        """Judges some settings."""


@dataclass(frozen=True, eq=False)
class GbmObjective:
    """Log loss of boosted trees over inner folds; all folds grow together, 25 trees at a time."""

    candidate: GbmCandidate
    settings: TunedGbmSettings
    columns: Columns
    target: Target
    warm_up: int = 200

    @property
    def words(self) -> str:
        """What it measures."""
        return f"their mean log loss over {self.settings.inner_folds} inner folds"

    def __call__(self, parameters: Parameters, report: Report) -> Judged:
        """Grows trees until the inner log loss stops falling; the best number of them is kept."""
        import lightgbm
        from sklearn.model_selection import StratifiedKFold

        recipe = replace(
            self.candidate, settings=self.candidate.settings.model_copy(update=parameters)
        )
        matrix = recipe.matrix(self.columns)
        lightgbm_parameters = recipe.parameters(recipe.inputs.features)
        cuts = StratifiedKFold(
            self.settings.inner_folds, shuffle=True, random_state=self.settings.seed
        )
        grown = []
        for seen, unseen in cuts.split(matrix, self.target):
            rows = lightgbm.Dataset(
                matrix[seen], label=self.target[seen], params=lightgbm_parameters
            )
            booster = lightgbm.Booster(lightgbm_parameters, rows)
            grown.append((booster, matrix[unseen], self.target[unseen], np.zeros(len(unseen))))
        best, trees = np.inf, 0
        for start in range(0, self.settings.most_trees, _TREES_AT_A_TIME):
            for booster, unseen, _, score in grown:
                _grow(booster, unseen, score, start)
            count = start + _TREES_AT_A_TIME
            value = float(np.mean([log_loss(score, truth) for _, _, truth, score in grown]))
            if value < best:
                best, trees = value, count
            elif count - trees >= _PATIENCE * _TREES_AT_A_TIME:
                break
            report(count, value)
        return Judged(best, {"trees": trees})


@dataclass(frozen=True, eq=False)
class TabularNetObjective:
    """Log loss of a network on an inner holdout, which also says when to stop."""

    candidate: TabularNetCandidate
    settings: TunedTabularNetSettings
    columns: Columns
    target: Target
    warm_up: int = 8

    @property
    def words(self) -> str:
        """What it measures."""
        return f"the log loss on an inner holdout of {self.settings.holdout_share:.0%}"

    def __call__(self, parameters: Parameters, report: Report) -> Judged:
        """Trains until the holdout's log loss stops falling."""
        from sklearn.model_selection import train_test_split

        recipe = replace(
            self.candidate, settings=self.candidate.settings.model_copy(update=parameters)
        )
        training, holdout = train_test_split(
            np.arange(len(self.target)),
            test_size=self.settings.holdout_share,
            stratify=self.target,
            random_state=self.settings.seed,
        )
        known = recipe.known(self.columns, self.target)
        _, trained = recipe.train(known, self.target, training, holdout, on_epoch=report)
        return Judged(trained.losses[trained.best_epoch - 1], {})


def _grow(booster: Any, rows: Floats, score: Floats, start: int) -> None:
    """Grows some more trees, and adds their log-odds of the rows to the score in place."""
    for _ in range(_TREES_AT_A_TIME):
        booster.update()
    chosen = {"start_iteration": start, "num_iteration": _TREES_AT_A_TIME}
    gained = booster.predict(rows, raw_score=True, num_threads=1, **chosen)
    np.add(score, np.asarray(gained), out=score)


def log_loss(logit: Floats, target: Target) -> float:
    """Mean negative log likelihood of what happened, from log-odds."""
    return float(np.mean(np.logaddexp(0, logit) - target * logit))
