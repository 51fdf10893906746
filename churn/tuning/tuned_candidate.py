"""A recipe that tunes itself on the rows it is fitted on.

Cross-validation therefore tunes anew within every training part: the figures are nested by
construction, and rows that judge the recipe are never among those that tuned it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from churn.contract import DataContract
from churn.features.encoding import Columns, row_count
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.deep_extra import TUNING, require_extra
from churn.models.linear.regression import require_both_outcomes
from churn.models.network.tabular_net import TabularNetCandidate
from churn.models.recipe_inputs import RecipeInputs
from churn.models.recipe_settings import (
    GbmSettings,
    TabularNetSettings,
    TunedGbmSettings,
    TunedSettings,
    TunedTabularNetSettings,
)
from churn.models.trees.gbm import GbmCandidate
from churn.tuning.objective import GbmObjective, Objective, TabularNetObjective
from churn.tuning.search_report import Parameters, TuningReport

if TYPE_CHECKING:
    from churn.tuning.study import OnTrial


@dataclass(frozen=True)
class Tuning:
    """Result of tuning.

    Attributes:
        settings: those of the best trial, an ordinary recipe's.
        report: everything that was tried.
    """

    settings: GbmSettings | TabularNetSettings
    report: TuningReport


@dataclass(frozen=True)
class TunedCandidate:
    """A recipe whose settings are searched by Optuna, starting from those of `base`."""

    name: str
    settings: TunedSettings
    base: GbmCandidate | TabularNetCandidate

    @classmethod
    def from_settings(
        cls, name: str, settings: TunedSettings, contract: DataContract
    ) -> TunedCandidate:
        """The recipe under a contract.

        Raises:
            InputError: Optuna or what the recipe itself needs is not installed, or the contract
                lacks roles that it asks for.
        """
        require_extra(f"Recipe '{name}'", TUNING)
        base: GbmCandidate | TabularNetCandidate
        if isinstance(settings, TunedGbmSettings):
            base = GbmCandidate.from_settings(name, settings.base, contract)
        else:
            base = TabularNetCandidate.from_settings(name, settings.base, contract)
        return cls(name, settings, base)

    @property
    def inputs(self) -> RecipeInputs:
        """The columns it is fed."""
        return self.base.inputs

    def fit(self, columns: Columns, target: Target) -> FittedModel:
        """Tunes on n rows, then fits the best settings on all of them.

        Raises:
            InputError: a column is missing, a code unknown, or an outcome occurs too rarely.
        """
        return self.frozen(self.tune(columns, target).settings).fit(columns, target)

    def tune(self, columns: Columns, target: Target, *, on_trial: OnTrial | None = None) -> Tuning:
        """Searches for settings on n rows, a part of which judges each trial.

        `on_trial` is called with every trial as it ends.

        Raises:
            InputError: a column is missing, a code unknown, an outcome occurs too rarely, or the
                storage cannot be used.
        """
        from churn.tuning.study import LEARNED, open_study, record, run_trials, setting_importance

        require_both_outcomes(target, self.name)
        objective = self._objective(columns, target)
        name = f"{self.name}-{self._digest(columns, target)}"
        study = open_study(name, storage=self.settings.storage, warm_up=objective.warm_up)
        first = self._first()
        run_trials(
            study,
            objective,
            self.settings.space.ranges,
            first=first,
            trials=self.settings.trials,
            seed=self.settings.seed,
            on_trial=on_trial,
        )
        best = study.best_trial
        learned: Parameters = best.user_attrs[LEARNED]
        trials = tuple(record(trial) for trial in study.trials if trial.state.is_finished())
        own = (t.value for t in trials if t.state == "complete" and t.parameters == first)
        report = TuningReport(
            recipe=self.name,
            objective=objective.words,
            rows=row_count(columns),
            seed=self.settings.seed,
            space={name: one.model_dump() for name, one in self.settings.space.ranges.items()},
            study=name,
            trials=trials,
            best=best.number,
            learned=learned,
            recipe_value=next(own, None),
            importance=setting_importance(study, self.settings.seed),
        )
        best_settings = self.base.settings.model_dump() | best.params | learned
        return Tuning(type(self.base.settings).model_validate(best_settings), report)

    def frozen(self, settings: GbmSettings | TabularNetSettings) -> Candidate:
        """An ordinary candidate with the settings that tuning found; it tunes nothing."""
        if isinstance(self.base, GbmCandidate) and isinstance(settings, GbmSettings):
            return replace(self.base, settings=settings)
        if isinstance(self.base, TabularNetCandidate) and isinstance(settings, TabularNetSettings):
            return replace(self.base, settings=settings)
        raise TypeError(f"recipe '{self.name}' does not take settings of kind '{settings.kind}'")

    def _objective(self, columns: Columns, target: Target) -> Objective:
        if isinstance(self.base, GbmCandidate):
            assert isinstance(self.settings, TunedGbmSettings)  # noqa: S101
            return GbmObjective(self.base, self.settings, columns, target)
        assert isinstance(self.settings, TunedTabularNetSettings)  # noqa: S101
        return TabularNetObjective(self.base, self.settings, columns, target)

    def _first(self) -> Parameters | None:
        """The recipe's own settings, where the space holds them."""
        ranges = self.settings.space.ranges
        own = {name: getattr(self.base.settings, name) for name in ranges}
        inside = all(ranges[name].low <= value <= ranges[name].high for name, value in own.items())
        return own if inside else None

    def _digest(self, columns: Columns, target: Target) -> str:
        """Names rows and settings: another table never goes on with this one's search.

        How many trials there are to be, and where they are kept, may change in between.
        """
        searched = self.settings.model_dump(mode="json", exclude={"trials", "storage"})
        digest = hashlib.sha256(json.dumps(searched, sort_keys=True).encode())
        for name in self.inputs.order:
            values = np.ascontiguousarray(columns[name])
            digest.update(f"{name} {values.dtype} {values.shape}".encode())
            digest.update(values.tobytes())
        digest.update(np.asarray(target, dtype=np.int8).tobytes())
        return digest.hexdigest()[:20]
