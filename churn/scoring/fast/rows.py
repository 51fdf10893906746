"""Fitted models for one customer at a time: the same numbers, added in the same order.

A model's own `logit` works on whole columns and costs tens of microseconds before it touches a
number. Here the same additions and multiplications are done on Python floats, which are the same
IEEE doubles, so the answers agree to the last bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple, Protocol

from churn.features.feature_set import FeatureSet
from churn.models.blend import BlendModel
from churn.models.candidate import FittedModel
from churn.models.linear.additive import AdditiveModel
from churn.models.linear.terms import Curve, Table, Term
from churn.models.trees.gbm import GbmModel
from churn.scoring.encoder import RowEncoder, Values
from churn.scoring.fast.trees import NativeTrees


class Copies(NamedTuple):
    """A customer, and copies with some values changed.

    Attributes:
        values: the customer's, engineered ones too.
        rows: each copy's.
        changes: what differs in each, by the values' places.
    """

    values: Values
    rows: list[Values]
    changes: list[dict[int, float]]


class RowModel(Protocol):
    """A fitted model asked for one customer.

    Attributes:
        bitwise: whether one row and many rows agree to the last bit by construction.
    """

    bitwise: bool

    def logit(self, values: Values) -> float:
        """Log-odds, from the encoder's values and the engineered ones behind them."""
        ...

    def logits(self, rows: Sequence[Values]) -> list[float]:
        """Log-odds of many, each the bits of a `logit` of its own."""
        ...

    def logits_changed(self, copies: Copies) -> list[float]:
        """Log-odds of a customer's changed copies, each the bits of a `logit` of its own."""
        ...

    def contributions(self, values: Values) -> list[float]:
        """What each of the model's features adds to its base."""
        ...


def engineered_of(model: FittedModel) -> FeatureSet:
    """The engineered columns that a model's row form reads, each once."""
    if isinstance(model, AdditiveModel | GbmModel):
        return model.engineered
    if isinstance(model, BlendModel):
        inner = [engineered_of(member).formulas for member in model.members.values()]
        return FeatureSet(tuple({one.name: one for many in inner for one in many}.values()))
    return FeatureSet()


def row_model(model: FittedModel, encoder: RowEncoder, places: Mapping[str, int]) -> RowModel:
    """The model for one customer.

    Args:
        model: what was fitted.
        encoder: makes the values.
        places: where each column, engineered ones too, stands among the values.
    """
    if isinstance(model, AdditiveModel):
        return _Additive(model, places)
    if isinstance(model, GbmModel):
        trees: object = model.booster  # the reader put its own there; LightGBM's has no row form
        if isinstance(trees, NativeTrees):
            return _Trees(model, trees, [places[name] for name in model.features])
    if isinstance(model, BlendModel):
        return _Blend(model, encoder, places)
    return _AnyKind(model, encoder)


class _Additive:
    bitwise = True

    def __init__(self, model: AdditiveModel, places: Mapping[str, int]) -> None:
        self._base = model.base
        self._terms = tuple(_term(term, places[term.column]) for term in model.terms)
        self._at: defaultdict[int, list[int]] = defaultdict(list)
        for number, term in enumerate(model.terms):
            self._at[places[term.column]].append(number)

    def logit(self, values: Values) -> float:
        total = self._base
        for term in self._terms:
            total += term(values)
        return total

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return [self.logit(values) for values in rows]

    def logits_changed(self, copies: Copies) -> list[float]:
        parts = [term(copies.values) for term in self._terms]
        found = []
        for row, change in zip(copies.rows, copies.changes, strict=True):
            own = parts[:]
            for place in change:
                for number in self._at.get(place, ()):
                    own[number] = self._terms[number](row)
            found.append(_summed(own, self._base))
        return found

    def contributions(self, values: Values) -> list[float]:
        return [term(values) for term in self._terms]


class _Trees:
    bitwise = True

    def __init__(self, model: GbmModel, trees: NativeTrees, places: list[int]) -> None:
        self._model = model
        self._trees = trees
        self._places = places

    def logit(self, values: Values) -> float:
        return self._trees.logit([values[place] for place in self._places])

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return self._trees.logits([[row[place] for place in self._places] for row in rows])

    def logits_changed(self, copies: Copies) -> list[float]:
        return self._trees.logits_changed(copies.values, copies.changes, self._places)

    def contributions(self, values: Values) -> list[float]:
        own = [values[place] for place in self._places]
        tables = self._model.shapley
        return self._trees.contributions(own) if tables is None else tables.one(own)


class _Blend:
    def __init__(self, model: BlendModel, encoder: RowEncoder, places: Mapping[str, int]) -> None:
        self._members = tuple(row_model(m, encoder, places) for m in model.members.values())
        order = {name: place for place, name in enumerate(model.features)}
        self._targets = tuple([order[n] for n in m.features] for m in model.members.values())
        self._width = len(order)
        self.bitwise = all(member.bitwise for member in self._members)

    def logit(self, values: Values) -> float:
        total = 0.0
        for member in self._members:
            total += member.logit(values)
        return total / len(self._members)

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return self._blended([member.logits(rows) for member in self._members])

    def logits_changed(self, copies: Copies) -> list[float]:
        return self._blended([member.logits_changed(copies) for member in self._members])

    def _blended(self, told: list[list[float]]) -> list[float]:
        """Each customer's mean, added in the order that `logit` adds in."""
        return [_summed(own, 0.0) / len(told) for own in zip(*told, strict=True)]

    def contributions(self, values: Values) -> list[float]:
        total = [0.0] * self._width
        for member, targets in zip(self._members, self._targets, strict=True):
            for target, part in zip(targets, member.contributions(values), strict=True):
                total[target] += part
        return [part / len(self._members) for part in total]


class _AnyKind:
    """A kind without a row form of its own: its columns, one row long."""

    bitwise = False

    def __init__(self, model: FittedModel, encoder: RowEncoder) -> None:
        self._model = model
        self._encoder = encoder
        self._width = len(encoder.names)

    def logit(self, values: Values) -> float:
        columns = self._encoder.as_columns([values[: self._width]])
        return float(self._model.logit(columns)[0])

    def logits(self, rows: Sequence[Values]) -> list[float]:
        # One at a time: a network's sums depend on how many rows are multiplied at once.
        return [self.logit(values) for values in rows]

    def logits_changed(self, copies: Copies) -> list[float]:
        columns = self._encoder.as_columns([row[: self._width] for row in copies.rows])
        found: list[float] = self._model.logit(columns).tolist()
        return found

    def contributions(self, values: Values) -> list[float]:
        columns = self._encoder.as_columns([values[: self._width]])
        parts: list[float] = self._model.contributions(columns)[0].tolist()
        return parts


def _in_order(parts: Iterable[float], base: float) -> float:
    return reduce(add, parts, base)


# Python 3.11 adds floats one after the other, and faster; from 3.12 on it makes up for roundings.
_summed: Callable[[Iterable[float], float], float] = (
    sum if sum([1e100, 1.0, -1e100], 0.0) == 0.0 else _in_order
)


def _term(term: Term, place: int) -> Callable[[Values], float]:
    return _table(term, place) if isinstance(term, Table) else _curve(term, place)


def _table(term: Table, place: int) -> Callable[[Values], float]:
    # An engineered column's code comes as a float; asking a dict spares its conversion.
    answers: dict[float, float] = dict(enumerate(term.values.tolist()))

    def answer(values: Values) -> float:
        return answers[values[place]]

    return answer


def _curve(term: Curve, place: int) -> Callable[[Values], float]:
    edges = term.edges.tolist()
    pieces: list[tuple[float, float, float, float, float]]
    pieces = list(zip(term.origins.tolist(), *term.coefficients.tolist(), strict=True))

    def answer(values: Values) -> float:
        number = values[place]
        origin, constant, linear, square, cube = pieces[bisect_right(edges, number)]
        along = number - origin
        # One operation a step, as the columns have it: never a fused one, never another order.
        return ((cube * along + square) * along + linear) * along + constant

    return answer
