"""Customers and model in the shape that Deepchecks reads, without ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import DataContract, NumberColumn
from churn.data.split import Split
from churn.features.encoding import encode, encode_target
from churn.models.trained import TrainedModel

_CUT = 0.5


def deepchecks_table(frame: pd.DataFrame, contract: DataContract) -> pd.DataFrame:
    """A typed table as Deepchecks reads it, shape [n, features + 2].

    Texts are the contract's categories and nothing else, numbers are floats, the target is 1 for
    the event. Instead of its id each customer has a number, by first appearance: equal ids have
    equal numbers, which is all that looking for a customer on both sides of a split needs.

    Raises:
        InputError: a column is missing or holds a value outside its categories.
    """
    codes = encode(frame, contract)
    table: dict[str, NDArray[Any]] = {}
    for column in contract.features:
        values = codes[column.name]
        if not isinstance(column, NumberColumn):
            values = np.array(column.categories, dtype=object)[values]
        table[column.name] = values
    table[contract.target.name] = encode_target(frame, contract).astype(np.int64)
    table[customer_number(contract)] = pd.factorize(frame[contract.id.name])[0]
    return pd.DataFrame(table)


def customer_number(contract: DataContract) -> str:
    """The name of the column that replaces the id."""
    return f"number of {contract.id.name}"


def sample_split(split: Split, limit: int, seed: int) -> Split:
    """Both sides of a split, each cut to a number of rows by a draw without replacement."""
    random = np.random.default_rng(seed)

    def cut(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(rows) <= limit:
            return rows
        return np.sort(random.choice(rows, size=limit, replace=False))

    return Split(development=cut(split.development), gate=cut(split.gate))


class ClassifierAdapter:
    """A trained model with the two methods of scikit-learn that Deepchecks calls.

    Attributes:
        classes_: 0 stayed, 1 left.
    """

    def __init__(self, model: TrainedModel) -> None:
        """Wraps a model; nothing is fitted."""
        self.model = model
        self.classes_ = np.array([0, 1])

    def predict_proba(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities of staying and of leaving, float64[n, 2]."""
        left = self.model.probability(encode(table, self.model.contract))
        return np.column_stack([1 - left, left])

    def predict(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """1 where leaving is at least as likely as staying, int64[n].

        A cut of 0.5 is what Deepchecks' label scores are about, not the business's threshold.
        """
        return np.asarray(self.predict_proba(table)[:, 1] >= _CUT, dtype=np.int64)


def feature_importance(model: TrainedModel) -> pd.Series[float]:
    """The model's own importance of each raw feature, summing to 1.

    Deepchecks would otherwise shuffle columns against a clock. What engineered columns carry has
    no raw column to stand at and is left out.
    """
    names = [column.name for column in model.contract.features]
    raw = pd.Series({name: model.importance.get(name, 0.0) for name in names})
    total = float(raw.sum())
    return raw / total if total > 0 else pd.Series(1 / len(names), index=names)
