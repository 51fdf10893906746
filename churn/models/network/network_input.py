"""How customers enter a network: categories one-hot, numbers piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Columns, Floats
from churn.models.trees.gbm import feature_matrix

Singles = NDArray[np.float32]
_FEWEST_EDGES = 2


@dataclass(frozen=True, eq=False)
class NetworkInput:
    """The encoding of some features, learnt from training rows without their outcomes.

    A category becomes one indicator per code. A number is cut at quantiles; piece i is 0 below its
    lower edge, 1 above its upper edge and rises straight between them (piecewise-linear encoding,
    Gorishniy et al. 2022, NeurIPS). So a number beyond the training rows counts as its nearest
    bound, and whatever a linear layer makes of it is a polygon.

    Attributes:
        features: the columns, in order.
        categories: how many codes each coded column has.
        edges: number column -> float64[pieces + 1], rising.
    """

    features: tuple[str, ...]
    categories: dict[str, int]
    edges: dict[str, Floats]

    @classmethod
    def from_columns(
        cls,
        columns: Columns,
        features: tuple[str, ...],
        categories: dict[str, int],
        *,
        pieces: int,
    ) -> NetworkInput:
        """Learns the edges from n training rows.

        A number gets `pieces` at most: quantiles that coincide count once.

        Raises:
            InputError: a column is missing, a code unknown, or a number is none.
        """
        matrix = feature_matrix(columns, features, categories, slice(None))
        edges = {
            name: _edges(matrix[:, place], pieces)
            for place, name in enumerate(features)
            if name not in categories
        }
        return cls(features, categories, edges)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of the network's inputs for each feature."""
        return tuple(
            self.categories[name] if name in self.categories else len(self.edges[name]) - 1
            for name in self.features
        )

    def encode(self, columns: Columns, rows: slice = slice(None)) -> Singles:
        """Some rows as the network sees them, float32[n, sum of widths].

        Raises:
            InputError: a column is missing, a code unknown, or a number is none.
        """
        return self.encode_matrix(feature_matrix(columns, self.features, self.categories, rows))

    def encode_matrix(self, matrix: Floats) -> Singles:
        """The same from the features side by side, float64[n, features]."""
        blocks: list[Any] = []
        for place, name in enumerate(self.features):
            values = matrix[:, place, None]
            if name in self.categories:
                blocks.append(values == np.arange(self.categories[name]))
            else:
                lower, upper = self.edges[name][:-1], self.edges[name][1:]
                blocks.append(np.clip((values - lower) / (upper - lower), 0, 1))
        return np.concatenate(blocks, axis=1, dtype=np.float32)

    def as_json(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {
            "features": list(self.features),
            "categories": self.categories,
            "edges": {name: edges.tolist() for name, edges in self.edges.items()},
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> NetworkInput:
        """The encoding that `as_json` described.

        Raises:
            ValueError: its edges do not rise, or miss a number.
            KeyError: a part is missing.
        """
        categories = {str(name): int(count) for name, count in content["categories"].items()}
        edges = {str(n): np.array(e, dtype=np.float64) for n, e in content["edges"].items()}
        features = tuple(content["features"])
        for name in (each for each in features if each not in categories):
            found = edges.get(name, np.empty(0))
            if len(found) < _FEWEST_EDGES or not (np.diff(found) > 0).all():
                raise ValueError(f"the edges of '{name}' are missing or do not rise")
        return cls(features, categories, edges)


def _edges(number: Floats, pieces: int) -> Floats:
    edges = np.unique(np.quantile(number, np.linspace(0, 1, pieces + 1)))
    # A number that never varied has no pieces; one of any width says the same of every row.
    return edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1.0])
