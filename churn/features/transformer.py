"""The feature formulas as a scikit-learn transformer, for pipelines outside this project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns, Floats, encode, row_count
from churn.features.feature_set import FeatureSet, feature_set
from churn.features.groups import GROUPS, FeatureGroup


class FeatureFormulas(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Engineered columns of customers, computed by the formulas every model here uses.

    Nothing is learnt: `fit` only binds the formulas to the contract's columns.

    Args:
        contract: what the columns mean.
        groups: groups of formulas to compute.

    Attributes:
        feature_set_: the bound formulas.
        left_out_: one sentence for each formula that the contract lacks a role for.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.data import acquire
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> table = acquire("bundled", contract, root=Path(), cache=Path(".churn")).frame
        >>> formulas = FeatureFormulas(contract, groups=["commitment", "services"]).fit(table)
        >>> formulas.get_feature_names_out().tolist()
        ['within_first_term', 'service_count', 'protection_count', 'streaming_count']
        >>> formulas.transform(table)[:2].tolist()
        [[0.0, 2.0, 1.0, 0.0], [0.0, 4.0, 2.0, 0.0]]
    """

    feature_set_: FeatureSet
    left_out_: tuple[str, ...]

    def __init__(self, contract: DataContract, groups: Sequence[FeatureGroup] = GROUPS) -> None:
        self.contract = contract
        self.groups = groups

    def fit(self, X: pd.DataFrame | Columns, y: Any = None) -> Self:  # noqa: ARG002, N803
        """Binds the formulas; X and y are not looked at.

        Raises:
            InputError: a group is unknown.
        """
        self.feature_set_ = feature_set(self.contract, self.groups)
        self.left_out_ = self.feature_set_.left_out
        return self

    def transform(self, X: pd.DataFrame | Columns) -> NDArray[np.float64]:  # noqa: N803
        """The engineered columns, float64[n, formulas].

        Args:
            X: a typed table, or columns as `churn.features.encoding.encode` makes them.

        Raises:
            InputError: X is neither, or lacks a column, or holds an unknown category.
        """
        check_is_fitted(self)
        columns: Columns
        if isinstance(X, pd.DataFrame):
            # Only what the formulas read: a table may lack columns that none of them needs.
            read = {name for bound in self.feature_set_.formulas for name in bound.reads}
            columns = encode(X, self.contract, only=read)
        elif isinstance(X, Mapping):
            columns = X
        else:
            raise InputError(
                f"FeatureFormulas was given a {type(X).__name__}; hand it a typed table (pandas "
                "DataFrame) or encoded columns."
            )
        made: list[Floats] = [bound(columns) for bound in self.feature_set_.formulas]
        return np.stack(made, axis=1) if made else np.empty((row_count(columns), 0))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # noqa: ARG002
        """Names of the engineered columns."""
        check_is_fitted(self)
        return np.array(self.feature_set_.names, dtype=object)
