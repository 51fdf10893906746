"""The one small interface between recipes, what they become, and everyone who scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from churn.features.encoding import Columns, Floats
from churn.models.row_form import RowForm

Target = NDArray[Any]
"""int8[n], 1 for a customer who left."""


@runtime_checkable
class FittedModel(Protocol):
    """A fitted model: log-odds, their parts, and files that hold it.

    The same rows give the same values, bit for bit, alone and among others.
    """

    @property
    def kind(self) -> str:
        """Which loader reads its files back."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that contributions belong to."""

    @property
    def exact(self) -> bool:
        """Whether contributions are exact; a network's are estimates."""

    @property
    def base(self) -> float:
        """Mean log-odds of the training rows, to which contributions are added."""

    @property
    def additive(self) -> bool:
        """Whether log-odds are a plain sum of terms, one for each feature."""

    def logit(self, columns: Columns) -> Floats:
        """Log-odds of leaving, float64[n].

        Raises:
            InputError: a column is missing, holds a code unseen in training, or NaN.
        """

    def contributions(self, columns: Columns) -> Floats:
        """What each feature adds to `base`, float64[n, features]; rows sum to logit - base.

        Raises:
            InputError: as for `logit`.
        """

    def row_form(self) -> RowForm:
        """What scores one customer without a table."""

    def export(self, folder: Path) -> None:
        """Writes the model's native files into an existing folder; never a pickle."""


class Candidate(Protocol):
    """A recipe under a name."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def fit(self, columns: Columns, target: Target) -> FittedModel:
        """Learns from n rows; the same rows always give the same model.

        Raises:
            InputError: a column is missing, or only one outcome occurs.
        """
