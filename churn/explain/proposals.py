"""What a business could propose to one customer: every single and double change that can be.

A proposal names offers of the contract. Columns that follow another one follow it here, too; the
bill moves by the contract's prices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from churn.explain.rules import Codes, Rules

_CENTS = 2


class Proposal(NamedTuple):
    """Some offers, and everything that they change.

    Attributes:
        offers: the columns whose category is proposed, with its code.
        codes: every category or flag that changes, those that follow included.
        bill: the monthly bill afterwards; None where the contract has no such column.
        unpriced: whether a service changes whose price the contract does not tell, so that the
            bill is held.
    """

    offers: Codes
    codes: Codes
    bill: float | None
    unpriced: bool


class _Change(NamedTuple):
    """One or two offers with what follows them, before the bill is looked at.

    Attributes:
        offers: what is proposed.
        codes: all that changes, in the contract's order; None where the offers contradict a tie.
        near: the ties that had a say, as bits.
        after: what the changed columns add to the bill then.
        before: what they add now.
        unpriced: whether the price of one is not known.
        can_be: whether all that changes can be acted on.
    """

    offers: Codes
    codes: Codes | None
    near: int
    after: float
    before: float
    unpriced: bool
    can_be: bool


def proposals(
    codes: Mapping[str, int], numbers: Mapping[str, float], rules: Rules, *, reach: int
) -> list[Proposal]:
    """Every proposal of at most `reach` offers, fewest first.

    Args:
        codes: the customer's categories and flags.
        numbers: the others.
        rules: of the contract that both keep to, as `Rules.require` sees to.
        reach: how many offers at once, 1 or 2.
    """
    billed = _Billed.of(numbers, rules)
    found = []
    followed: set[frozenset[tuple[str, int]]] = set()
    for offers, changed, _, after, before, unpriced, can_be in _changes(codes, rules, reach):
        if changed is None or not can_be:
            continue
        # Fewest offers come first: what a single one brings about needs no second.
        if followed or len(changed) > len(offers):
            key = frozenset(changed.items())
            if key in followed:
                continue
            followed.add(key)
        bill = None
        if rules.bill is not None:
            bill = billed.bill_after(after - before)
            if bill is None:
                continue
        found.append(Proposal(offers, changed, bill, unpriced))
    return found


def _changes(codes: Mapping[str, int], rules: Rules, reach: int) -> Iterator[_Change]:
    single = [
        _changed({name: code}, codes, rules) for name, code in rules.offers if code != codes[name]
    ]
    yield from single
    if reach == 1:
        return
    for place, one in enumerate(single, start=1):
        (column,) = one.offers
        for other in single[place:]:
            if column in other.offers:
                continue
            if one.near & other.near:
                yield _changed({**one.offers, **other.offers}, codes, rules)
            elif one.codes is not None and other.codes is not None:
                yield _both(one, one.codes, other, other.codes, codes, rules)


def _changed(offers: Codes, codes: Mapping[str, int], rules: Rules) -> _Change:
    changed, near = rules.follow(codes, offers)
    if changed is None:
        return _Change(offers, None, near, 0.0, 0.0, unpriced=False, can_be=False)
    return _Change(
        offers,
        changed,
        near,
        rules.added(changed.items()),
        rules.added((name, codes[name]) for name in changed),
        not rules.unpriced.isdisjoint(changed),
        rules.acted_on.issuperset(changed),
    )


def _both(
    one: _Change,
    first: Codes,
    other: _Change,
    second: Codes,
    codes: Mapping[str, int],
    rules: Rules,
) -> _Change:
    """Two that share no tie: what follows one is none of the other's business."""
    changed = {**first, **second}
    after, before = one.after + other.after, one.before + other.before
    if len(changed) > 2:  # noqa: PLR2004 - of two columns the sums and the order are right already
        changed = rules.in_order(changed)
        after = rules.added(changed.items())
        before = rules.added((name, codes[name]) for name in changed)
    offers = changed if len(changed) == 2 else {**one.offers, **other.offers}  # noqa: PLR2004
    unpriced, can_be = one.unpriced or other.unpriced, one.can_be and other.can_be
    return _Change(offers, changed, 0, after, before, unpriced, can_be)


class _Billed(NamedTuple):
    """What a customer pays, and has paid.

    Attributes:
        bill: the monthly bill; nan where there is none.
        tenure: months, where bills and total charges are to agree; nan where not.
        total: what was paid in them.
        in_step: whether they agree as it is.
        rules: of the contract.
    """

    bill: float
    tenure: float
    total: float
    in_step: bool
    rules: Rules

    @classmethod
    def of(cls, numbers: Mapping[str, float], rules: Rules) -> _Billed:
        """A customer's, under a contract's rules."""
        bill = numbers[rules.bill.name] if rules.bill is not None else math.nan
        tenure, total = (
            (numbers[name] for name in rules.past)
            if rules.past is not None
            else (math.nan, math.nan)
        )
        return cls(bill, tenure, total, rules.in_step(tenure, total, bill), rules)

    def bill_after(self, moved: float) -> float | None:
        """The bill when it has moved; None where it must not move so far."""
        column = self.rules.bill
        assert column is not None  # noqa: S101 - for the type checker: asked where there is one
        bill = round(self.bill + moved, _CENTS) if moved else self.bill
        if not column.minimum <= bill <= column.maximum:
            return None
        if moved and self.in_step and not self.rules.in_step(self.tenure, self.total, bill):
            return None  # out of step with the past: the model has seen next to no such customer
        return bill
