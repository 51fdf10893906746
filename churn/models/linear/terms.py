"""The parts of an additive model: a table of categories, or a curve of one number.

Both are evaluated along rows with plain additions and multiplications, so a customer alone and the
same customer among millions get the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Columns, Floats
from churn.features.formula import look_up

_POWERS = 4
_MANY_EDGES = 64


@dataclass(frozen=True)
class Table:
    """Log-odds per category code.

    Attributes:
        column: the column it looks at.
        values: float64[categories].
    """

    column: str
    values: Floats

    def __call__(self, columns: Columns) -> Floats:
        """The term's log-odds, float64[n]."""
        return look_up(self.values, columns[self.column], self.column)

    def shifted(self, by: float) -> Table:
        """The same table, raised everywhere."""
        return Table(self.column, self.values + by)

    def as_json(self) -> dict[str, Any]:
        """The table as JSON values."""
        return {"kind": "table", "column": self.column, "values": self.values.tolist()}


@dataclass(frozen=True)
class Curve:
    """Log-odds as cubic pieces of a number.

    Piece i reaches from edges[i - 1] to below edges[i]; the first and the last reach without end,
    and are flat where the curve ends flat.

    Attributes:
        column: the column it looks at.
        edges: float64[pieces - 1], rising.
        origins: float64[pieces], where each piece measures its number from.
        coefficients: float64[4, pieces], by rising power of (number - origin).
    """

    column: str
    edges: Floats
    origins: Floats
    coefficients: Floats

    def __call__(self, columns: Columns) -> Floats:
        """The term's log-odds, float64[n]."""
        number = np.asarray(columns[self.column], dtype=np.float64)
        piece = self._pieces(number)
        along = number - self.origins[piece]
        constant, linear, square, cube = self.coefficients
        value: Floats = cube[piece]
        for coefficient in (square, linear, constant):
            value *= along
            value += coefficient[piece]
        return value

    def _pieces(self, number: Floats) -> NDArray[np.int64]:
        """Which piece each number lies in; a few edges are compared faster than searched."""
        if len(self.edges) > _MANY_EDGES:
            return self.edges.searchsorted(number, side="right")
        piece = np.zeros(len(number), np.int8)
        for edge in self.edges:
            piece += number >= edge
        return piece.astype(np.int64)

    def shifted(self, by: float) -> Curve:
        """The same curve, raised everywhere."""
        raised = self.coefficients.copy()
        raised[0] += by
        return Curve(self.column, self.edges, self.origins, raised)

    def plus(self, other: Curve) -> Curve:
        """The sum of two curves of one column, as one curve."""
        edges = np.union1d(self.edges, other.edges)
        # Any number inside a piece names it; beyond the ends, one step further does.
        inside = np.r_[edges, np.inf] if len(edges) else np.zeros(1)
        ours = self.edges.searchsorted(inside, side="left")
        theirs = other.edges.searchsorted(inside, side="left")
        origins = self.origins[ours]
        moved = _moved(other.coefficients[:, theirs], origins - other.origins[theirs])
        return Curve(self.column, edges, origins, self.coefficients[:, ours] + moved)

    def as_json(self) -> dict[str, Any]:
        """The curve as JSON values."""
        return {
            "kind": "curve",
            "column": self.column,
            "edges": self.edges.tolist(),
            "origins": self.origins.tolist(),
            "coefficients": self.coefficients.tolist(),
        }


Term = Table | Curve


def straight(column: str, slope: float, *, through: float) -> Curve:
    """A straight line that is 0 where the number is `through`; it goes on beyond all data."""
    coefficients = np.zeros((_POWERS, 1))
    coefficients[1] = slope
    return Curve(column, np.empty(0), np.array([through]), coefficients)


def stairs(column: str, starts: Floats, heights: Floats) -> Curve:
    """A step function: heights[0] below starts[0], heights[i] from starts[i - 1] on."""
    coefficients = np.zeros((_POWERS, len(heights)))
    coefficients[0] = heights
    origins = np.r_[starts[0] if len(starts) else 0.0, starts]
    return Curve(column, starts, origins, coefficients)


def term_from_json(content: dict[str, Any]) -> Term:
    """The term that `as_json` described.

    Raises:
        ValueError: it is not a term, or its parts do not fit together.
    """
    column = str(content["column"])
    if content["kind"] == "table":
        return Table(column, np.array(content["values"], dtype=np.float64))
    if content["kind"] != "curve":
        raise ValueError(f"'{content['kind']}' is no kind of term")
    edges, origins, coefficients = (
        np.array(content[part], dtype=np.float64) for part in ("edges", "origins", "coefficients")
    )
    fitting = coefficients.shape == (_POWERS, len(origins)) and len(edges) == len(origins) - 1
    if not fitting or (np.diff(edges) <= 0).any():
        raise ValueError(f"the pieces of the curve of '{column}' do not fit together")
    return Curve(column, edges, origins, coefficients)


def _moved(coefficients: Floats, by: Floats) -> Floats:
    """The same polynomials, measured from origins that lie `by` further (Taylor's shift)."""
    c0, c1, c2, c3 = coefficients
    return np.stack(
        [
            c0 + by * (c1 + by * (c2 + by * c3)),
            c1 + by * (2 * c2 + by * 3 * c3),
            c2 + by * 3 * c3,
            c3,
        ]
    )
