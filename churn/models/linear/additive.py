"""A fitted additive model: log-odds are a base plus one term per column.

Its reasons are exact and free: a customer's contribution of a column is that column's term.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from churn.errors import InputError
from churn.features.encoding import Columns, Floats, row_count
from churn.features.feature_set import FeatureSet
from churn.models.linear.terms import Term, term_from_json
from churn.models.recipe_inputs import require_finite
from churn.models.row_form import TermsForm
from churn.plain_files import read_json

_FILE = "additive.json"


@dataclass(frozen=True)
class AdditiveModel:
    """Base plus terms; the terms average to 0 over the training rows.

    Attributes:
        base: mean log-odds of the training rows.
        terms: one per column.
        engineered: formulas of the columns that are not in the table itself.
    """

    kind: ClassVar[str] = "additive"
    exact: ClassVar[bool] = True
    additive: ClassVar[bool] = True

    base: float
    terms: tuple[Term, ...]
    engineered: FeatureSet = field(default_factory=FeatureSet)

    @property
    def features(self) -> tuple[str, ...]:
        """The terms' columns."""
        return tuple(term.column for term in self.terms)

    def logit(self, columns: Columns) -> Floats:
        """Log-odds of leaving, float64[n]."""
        known = self._known(columns)
        total = np.full(row_count(columns), self.base)
        # Term by term, never as a matrix product: BLAS adds up in another order for other shapes.
        with np.errstate(invalid="ignore"):  # an infinite number is refused below, by name
            for term in self.terms:
                total += term(known)
        if not np.isfinite(total).all():
            require_finite(known, self.features)
        return total

    def contributions(self, columns: Columns) -> Floats:
        """What each column adds to the base, float64[n, features]."""
        known = self._known(columns)
        parts = np.empty((row_count(columns), len(self.terms)), order="F")
        with np.errstate(invalid="ignore"):
            for place, term in enumerate(self.terms):
                parts[:, place] = term(known)
        if not np.isfinite(parts).all():
            require_finite(known, self.features)
        return parts

    def row_form(self) -> TermsForm:
        """The base and the terms."""
        return TermsForm(self.base, self.terms, self.engineered)

    def export(self, folder: Path) -> None:
        """Writes the model as one JSON file; floats are written so that they read back exactly."""
        content = {
            "base": self.base,
            "terms": [term.as_json() for term in self.terms],
            "engineered": self.engineered.as_json(),
        }
        (folder / _FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> AdditiveModel:
        """The model that `export` wrote.

        Raises:
            OSError, ValueError, KeyError: the file or a part is missing, or not what it should be.
        """
        content = read_json(folder / _FILE)
        return cls(
            base=float(content["base"]),
            terms=tuple(term_from_json(term) for term in content["terms"]),
            engineered=FeatureSet.from_json(content["engineered"]),
        )

    def _known(self, columns: Columns) -> Columns:
        known = self.engineered.extend(columns)
        for term in self.terms:
            if term.column not in known:
                raise InputError(
                    f"Column '{term.column}' is missing; the model was trained with it. Add it "
                    "to the columns to be scored."
                )
        return known
