"""A fitted model with its recalibration: the served log-odds are a line on the fitted ones.

The line is part of the model, in memory and on disk. Everything that scores, explains or judges
the model therefore sees the served log-odds, and no caller can forget the line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, Field

from churn.features.encoding import Columns, Floats
from churn.frozen_model import FrozenModel
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.row_form import LineForm
from churn.plain_files import read_json

_FILE = "recalibration.json"
_FITTED = "fitted"


class LogitMap(FrozenModel):
    """A correction of the log-odds: they become slope x log-odds + intercept.

    Contributions become slope x contribution and the base slope x base + intercept, so they still
    sum to the corrected log-odds. The slope is positive, so the ranking stays.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0

    @property
    def identity(self) -> bool:
        """Whether it changes nothing."""
        return self.slope == 1 and self.intercept == 0

    def apply(self, logit: Floats) -> Floats:
        """Corrected log-odds, float64[n]; the same bits where nothing is corrected."""
        return logit if self.identity else self.slope * logit + self.intercept


@dataclass(frozen=True)
class RecalibratedModel:
    """A fitted model behind its recalibration.

    Attributes:
        fitted: the model as it was fitted.
        map: the line on its log-odds.
    """

    kind: ClassVar[str] = "recalibrated"

    fitted: FittedModel
    map: LogitMap

    @property
    def features(self) -> tuple[str, ...]:
        """The fitted model's."""
        return self.fitted.features

    @property
    def exact(self) -> bool:
        """Whether the fitted model's contributions are exact."""
        return self.fitted.exact

    @property
    def additive(self) -> bool:
        """Whether the fitted model is a plain sum of terms; a line on it is one, too."""
        return self.fitted.additive

    @property
    def base(self) -> float:
        """Mean log-odds of the training rows, recalibrated."""
        return self.map.slope * self.fitted.base + self.map.intercept

    def logit(self, columns: Columns) -> Floats:
        """Recalibrated log-odds of leaving, float64[n]."""
        return self.map.apply(self.fitted.logit(columns))

    def contributions(self, columns: Columns) -> Floats:
        """What each feature adds to the recalibrated base, float64[n, features]."""
        return self.map.slope * self.fitted.contributions(columns)

    def row_form(self) -> LineForm:
        """The line on the fitted model's row form."""
        return LineForm(self.fitted.row_form(), self.map.slope, self.map.intercept)

    def export(self, folder: Path) -> None:
        """Writes the two numbers, and the fitted model into a folder of its own."""
        inner = folder / _FITTED
        inner.mkdir()
        self.fitted.export(inner)
        content = {"kind": self.fitted.kind, **self.map.model_dump()}
        (folder / _FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(
        cls, folder: Path, read_member: Callable[[str, Path], FittedModel]
    ) -> RecalibratedModel:
        """The model that `export` wrote; `read_member` reads a fitted model of some kind.

        Raises:
            OSError, ValueError, KeyError: a file or a part is missing, or not what it should be.
        """
        content = read_json(folder / _FILE)
        fitted = read_member(str(content.pop("kind")), folder / _FITTED)
        return cls(fitted, LogitMap.model_validate(content))


@dataclass(frozen=True)
class RecalibratedCandidate:
    """A recipe whose fits are all served behind the same recalibration."""

    candidate: Candidate
    map: LogitMap

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.candidate.name

    def fit(self, columns: Columns, target: Target) -> FittedModel:
        """Learns from n rows; the recipe's own model where the map changes nothing.

        Raises:
            InputError: the recipe cannot learn from the rows.
        """
        fitted = self.candidate.fit(columns, target)
        return fitted if self.map.identity else RecalibratedModel(fitted, self.map)


def recalibration_of(model: FittedModel) -> LogitMap:
    """The map that is part of a model; the identity where it has none."""
    return model.map if isinstance(model, RecalibratedModel) else LogitMap()
