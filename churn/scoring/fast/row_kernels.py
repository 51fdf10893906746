"""Row forms compiled for one customer at a time: the same numbers, added in the same order.

A model's own `logit` works on whole columns and costs tens of microseconds before it touches a
number. Here the same additions and multiplications are done on Python floats, which are the same
IEEE doubles, so the results agree to the last bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple, Protocol, assert_never

from churn.models.linear.terms import Curve, Table, Term
from churn.models.row_form import LineForm, MeanForm, RowForm, TableForm, TermsForm, TreesForm
from churn.scoring.encoder import RowEncoder, Values
from churn.scoring.fast.row_trees import RowTrees


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


class RowKernel(Protocol):
    """A row form, ready to score.

    Attributes:
        bitwise: whether one row and many rows agree to the last bit by construction.
    """

    bitwise: bool

    def logit(self, values: Values) -> float:
        """Log-odds, from the encoder's values and the engineered ones behind them."""

    def logits(self, rows: Sequence[Values]) -> list[float]:
        """Log-odds of several customers, each with the bits of its own `logit`."""

    def logits_changed(self, copies: Copies) -> list[float]:
        """Log-odds of a customer's changed copies, each with the bits of its own `logit`."""

    def contributions(self, values: Values) -> list[float]:
        """What each of the model's features adds to its base."""


def row_kernel(form: RowForm, encoder: RowEncoder, places: Mapping[str, int]) -> RowKernel:
    """Compiles a row form; `places` says where each column, engineered too, is among the values."""
    match form:
        case TermsForm():
            return _Terms(form, places)
        case TreesForm():
            return _Trees(form, places)
        case MeanForm():
            return _Mean(form, [row_kernel(each, encoder, places) for each in form.members])
        case LineForm():
            return _Line(form, row_kernel(form.member, encoder, places))
        case TableForm():
            return _Table(form, encoder)
    assert_never(form)


class _Terms:
    bitwise = True

    def __init__(self, form: TermsForm, places: Mapping[str, int]) -> None:
        self._base = form.base
        self._terms = tuple(_term(term, places[term.column]) for term in form.terms)
        self._terms_at: defaultdict[int, list[int]] = defaultdict(list)
        for number, term in enumerate(form.terms):
            self._terms_at[places[term.column]].append(number)

    def logit(self, values: Values) -> float:
        total = self._base
        for term in self._terms:
            total += term(values)
        return total

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return [self.logit(values) for values in rows]

    def logits_changed(self, copies: Copies) -> list[float]:
        parts = [term(copies.values) for term in self._terms]
        logits = []
        for row, change in zip(copies.rows, copies.changes, strict=True):
            own = parts[:]
            for place in change:
                for number in self._terms_at.get(place, ()):
                    own[number] = self._terms[number](row)
            logits.append(_sum(own, self._base))
        return logits

    def contributions(self, values: Values) -> list[float]:
        return [term(values) for term in self._terms]


class _Trees:
    bitwise = True

    def __init__(self, form: TreesForm, places: Mapping[str, int]) -> None:
        self._trees = RowTrees(form.trees)
        self._places = [places[name] for name in form.features]

    def logit(self, values: Values) -> float:
        return self._trees.logit([values[place] for place in self._places])

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return self._trees.logits([[row[place] for place in self._places] for row in rows])

    def logits_changed(self, copies: Copies) -> list[float]:
        return self._trees.logits_changed(copies.values, copies.changes, self._places)

    def contributions(self, values: Values) -> list[float]:
        return self._trees.contributions([values[place] for place in self._places])


class _Mean:
    def __init__(self, form: MeanForm, members: Sequence[RowKernel]) -> None:
        self._members = tuple(members)
        self._places = form.places
        self._width = form.width
        self.bitwise = all(member.bitwise for member in members)

    def logit(self, values: Values) -> float:
        total = 0.0
        for member in self._members:
            total += member.logit(values)
        return total / len(self._members)

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return self._means([member.logits(rows) for member in self._members])

    def logits_changed(self, copies: Copies) -> list[float]:
        return self._means([member.logits_changed(copies) for member in self._members])

    def _means(self, logits: list[list[float]]) -> list[float]:
        """Each customer's mean, added in the order that `logit` adds in."""
        return [_sum(own, 0.0) / len(logits) for own in zip(*logits, strict=True)]

    def contributions(self, values: Values) -> list[float]:
        total = [0.0] * self._width
        for member, places in zip(self._members, self._places, strict=True):
            for place, part in zip(places, member.contributions(values), strict=True):
                total[place] += part
        return [part / len(self._members) for part in total]


class _Line:
    def __init__(self, form: LineForm, member: RowKernel) -> None:
        self._member = member
        self._slope = form.slope
        self._intercept = form.intercept
        self.bitwise = member.bitwise

    def logit(self, values: Values) -> float:
        return self._slope * self._member.logit(values) + self._intercept

    def logits(self, rows: Sequence[Values]) -> list[float]:
        return self._on_line(self._member.logits(rows))

    def logits_changed(self, copies: Copies) -> list[float]:
        return self._on_line(self._member.logits_changed(copies))

    def _on_line(self, logits: list[float]) -> list[float]:
        return [self._slope * logit + self._intercept for logit in logits]

    def contributions(self, values: Values) -> list[float]:
        return [self._slope * part for part in self._member.contributions(values)]


class _Table:
    bitwise = False

    def __init__(self, form: TableForm, encoder: RowEncoder) -> None:
        self._form = form
        self._encoder = encoder
        self._width = len(encoder.names)

    def logit(self, values: Values) -> float:
        columns = self._encoder.as_columns([values[: self._width]])
        return float(self._form.logit(columns)[0])

    def logits(self, rows: Sequence[Values]) -> list[float]:
        # One at a time: a network's sums depend on how many rows are multiplied at once.
        return [self.logit(values) for values in rows]

    def logits_changed(self, copies: Copies) -> list[float]:
        columns = self._encoder.as_columns([row[: self._width] for row in copies.rows])
        logits: list[float] = self._form.logit(columns).tolist()
        return logits

    def contributions(self, values: Values) -> list[float]:
        columns = self._encoder.as_columns([values[: self._width]])
        parts: list[float] = self._form.contributions(columns)[0].tolist()
        return parts


def _in_order(parts: Iterable[float], base: float) -> float:
    return reduce(add, parts, base)


# Python 3.11 adds floats one after the other, and faster; from 3.12 on it corrects for rounding.
_sum: Callable[[Iterable[float], float], float] = (
    sum if sum([1e100, 1.0, -1e100], 0.0) == 0.0 else _in_order
)


def _term(term: Term, place: int) -> Callable[[Values], float]:
    match term:
        case Table():
            return _table(term, place)
        case Curve():
            return _curve(term, place)
    assert_never(term)


def _table(term: Table, place: int) -> Callable[[Values], float]:
    # An engineered column's code comes as a float; a dict takes it without a conversion.
    log_odds: dict[float, float] = dict(enumerate(term.values.tolist()))

    def evaluate(values: Values) -> float:
        return log_odds[values[place]]

    return evaluate


def _curve(term: Curve, place: int) -> Callable[[Values], float]:
    edges = term.edges.tolist()
    pieces: list[tuple[float, float, float, float, float]]
    pieces = list(zip(term.origins.tolist(), *term.coefficients.tolist(), strict=True))

    def evaluate(values: Values) -> float:
        number = values[place]
        origin, constant, linear, square, cube = pieces[bisect_right(edges, number)]
        along = number - origin
        # One operation a step, as the columns have it: never a fused one, never another order.
        return ((cube * along + square) * along + linear) * along + constant

    return evaluate
