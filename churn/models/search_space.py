"""Where tuning looks: ranges of a recipe's settings, as frozen data."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from churn.frozen_model import FrozenSettings


class _Range(FrozenSettings):
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not lie above high")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range must begin above 0")
        return self


class WholeRange(_Range):
    """Whole numbers from `low` to `high`, both included; `log` looks at ratios, not differences."""

    low: int
    high: int


class NumberRange(_Range):
    """Numbers from `low` to `high`; `log` looks at ratios, not differences."""


SearchRange = WholeRange | NumberRange


class _Space(FrozenSettings):
    @property
    def ranges(self) -> dict[str, SearchRange]:
        """The ranges by the name of the setting they are of."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class GbmSpace(_Space):
    """What is searched for boosted trees; their number follows from the inner folds."""

    depth: WholeRange = WholeRange(low=2, high=4)
    learning_rate: NumberRange = NumberRange(low=0.02, high=0.1, log=True)
    minimum_leaf_rows: WholeRange = WholeRange(low=20, high=120, log=True)
    l2: NumberRange = NumberRange(low=0.1, high=30.0, log=True)
    column_share: NumberRange = NumberRange(low=0.2, high=1.0)


class TabularNetSpace(_Space):
    """What is searched for the network; when to stop follows from its validation rows."""

    width: WholeRange = WholeRange(low=16, high=64, log=True)
    pieces: WholeRange = WholeRange(low=4, high=24)
    dropout: NumberRange = NumberRange(low=0.0, high=0.3)
    learning_rate: NumberRange = NumberRange(low=0.0007, high=0.007, log=True)
    weight_decay: NumberRange = NumberRange(low=0.00001, high=0.01, log=True)
