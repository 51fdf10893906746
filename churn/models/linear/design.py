"""Blocks of a regression's design matrix, each of which knows the term its weights become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats
from churn.features.formula import look_up
from churn.models.linear.terms import Curve, Table, Term, stairs, straight

_DEGREE = 3


@dataclass(frozen=True)
class Block:
    """Columns of a design matrix that belong to one column of the table.

    Attributes:
        matrix: float64[n, width].
        term: the term that float64[width] weights make of it.
    """

    matrix: Floats
    term: Callable[[Floats], Term]


def one_hot(column: str, codes: NDArray[np.int8], categories: int) -> Block:
    """One indicator per category.

    Raises:
        InputError: a code is none of the categories.
    """
    matrix = np.zeros((len(codes), categories))
    places = look_up(np.arange(categories, dtype=np.float64), codes, column).astype(np.intp)
    matrix[np.arange(len(codes)), places] = 1.0
    return Block(matrix, lambda weights: Table(column, weights.copy()))


def steps(column: str, number: Floats, starts: tuple[float, ...]) -> Block:
    """One indicator per step of a step function of a number."""
    edges = np.array(starts)
    matrix = np.zeros((len(number), len(starts) + 1))
    matrix[np.arange(len(number)), edges.searchsorted(number, side="right")] = 1.0
    return Block(matrix, lambda weights: stairs(column, edges, weights.copy()))


def standardised(column: str, number: Floats) -> Block:
    """The number with mean 0 and standard deviation 1; all 0 where it never varies."""
    middle, spread = float(number.mean()), float(number.std())
    scale = spread if spread > 0 else 1.0
    matrix = ((number - middle) / scale)[:, None]
    return Block(
        matrix, lambda weights: straight(column, float(weights[0]) / scale, through=middle)
    )


def spline(column: str, number: Floats, knots: int) -> Block:
    """Cubic B-splines with knots at quantiles, flat beyond the training rows' range.

    Quantiles that coincide count once; a number that never varies becomes one constant step.
    """
    from sklearn.preprocessing import SplineTransformer

    places = np.unique(np.percentile(number, np.linspace(0, 100, knots)))
    if len(places) == 1:
        return Block(
            np.zeros((len(number), 1)),
            lambda weights: stairs(column, np.empty(0), weights.copy()),
        )
    transformer = SplineTransformer(
        knots=places[:, None], degree=_DEGREE, extrapolation="constant", include_bias=True
    )
    matrix = transformer.fit_transform(number[:, None])
    whole = transformer.bsplines_[0].t
    return Block(matrix, lambda weights: _pieces(column, places, whole, weights))


def _pieces(column: str, places: Floats, whole: Floats, weights: Floats) -> Curve:
    """A B-spline as cubic pieces between its inner knots, continued flat on both sides."""
    from scipy.interpolate import PPoly

    pieces = PPoly.from_spline((whole, weights, _DEGREE))
    inner = pieces.c[::-1, _DEGREE : len(whole) - 1 - _DEGREE]
    end = places[-1] - places[-2]
    coefficients = np.zeros((_DEGREE + 1, len(places) + 1))
    coefficients[:, 1:-1] = inner
    coefficients[0, 0] = inner[0, 0]
    coefficients[0, -1] = np.polynomial.polynomial.polyval(end, inner[:, -1])
    return Curve(column, places.copy(), np.r_[places[:1], places], coefficients)
