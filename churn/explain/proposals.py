"""What a business could propose to one customer: every single and double change that can be.

A proposal names offers of the contract. Columns that follow another one follow it here, too; the
bill moves by the contract's prices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from churn.explain.offer_rules import Codes, Offer, OfferRules

_CENTS = 2


class Proposal(NamedTuple):
    """Some offers, and everything that they change.

    Attributes:
        offers: the columns whose category is proposed, with its code.
        codes: every category or flag that changes, those that follow included.
        bill: the monthly bill afterwards; None where the contract has no such column.
        unpriced: whether a service changes that has no price in the contract, so that the bill is
            held.
    """

    offers: Codes
    codes: Codes
    bill: float | None
    unpriced: bool


_Changes = tuple[Codes, Codes | None, int, float, float, bool, bool]
"""Some offers with what follows them, before the bill is computed: what is proposed; all that
changes, in the contract's order, or None if the offers contradict a tie; the ties that had an
influence, as bits; what the changed columns add to the bill then, and what they add now; whether
the price of one is not known; whether all of them can be acted on.

A plain tuple, because hundreds are made for a customer.
"""


def proposals(
    codes: Mapping[str, int], numbers: Mapping[str, float], rules: OfferRules, *, most_changes: int
) -> list[Proposal]:
    """Every proposal of at most `most_changes` offers, fewest first.

    Args:
        codes: the customer's categories and flags.
        numbers: the others.
        rules: rules of the contract that both keep to, as `OfferRules.require_ties` checks.
        most_changes: how many offers at once, 1 or 2.
    """
    found = []
    bill_after = _Bill(numbers, rules)
    followed: set[frozenset[tuple[str, int]]] = set()
    for offers, changed, _, after, before, unpriced, actionable in _changes(
        codes, rules, most_changes
    ):
        if changed is None or not actionable:
            continue
        # Fewest offers come first: what a single one changes needs no second.
        if followed or len(changed) > len(offers):
            key = frozenset(changed.items())
            if key in followed:
                continue
            followed.add(key)
        bill = bill_after[after - before]
        if bill is not None or rules.bill is None:
            found.append(Proposal(offers, changed, bill, unpriced))
    return found


def _changes(codes: Mapping[str, int], rules: OfferRules, most_changes: int) -> Iterator[_Changes]:
    single = [
        (offer.column, _single(offer, codes, rules))
        for offer in rules.offers
        if offer.code != codes[offer.column]
    ]
    for _, one in single:
        yield one
    if most_changes == 1:
        return
    for place, (column, one) in enumerate(single, start=1):
        offers, changed, ties, after, before, unpriced, actionable = one
        for another, other in single[place:]:
            if another == column:
                continue
            offers2, changed2, ties2, after2, before2, unpriced2, actionable2 = other
            if ties & ties2:
                yield _followed({**offers, **offers2}, codes, rules)
            elif changed is not None and changed2 is not None:
                # They share no tie: what follows one does not affect the other.
                both = {**changed, **changed2}
                if len(both) > 2:  # noqa: PLR2004 - more than the two that are offered
                    yield _changed({**offers, **offers2}, both, 0, codes, rules)
                    continue
                unknown, allowed = unpriced or unpriced2, actionable and actionable2
                yield both, both, 0, after + after2, before + before2, unknown, allowed


def _single(offer: Offer, codes: Mapping[str, int], rules: OfferRules) -> _Changes:
    column, code, ties, prices, unpriced, actionable = offer
    offers = {column: code}
    if ties:
        return _followed(offers, codes, rules)
    after, before = (prices[code], prices[codes[column]]) if prices else (0.0, 0.0)
    return offers, offers, 0, after, before, unpriced, actionable


def _followed(offers: Codes, codes: Mapping[str, int], rules: OfferRules) -> _Changes:
    changed, ties = rules.follow(codes, offers)
    if changed is None:
        return offers, None, ties, 0.0, 0.0, False, False
    return _changed(offers, changed, ties, codes, rules)


def _changed(
    offers: Codes, changed: Codes, ties: int, codes: Mapping[str, int], rules: OfferRules
) -> _Changes:
    return (
        offers,
        rules.in_order(changed),
        ties,
        rules.price(changed),
        rules.price({name: codes[name] for name in changed}),
        not rules.unpriced.isdisjoint(changed),
        rules.actionable.issuperset(changed),
    )


class _Bill(dict[float, float | None]):
    """A customer's bill by how much it changes; None if it must not change so much."""

    def __init__(self, numbers: Mapping[str, float], rules: OfferRules) -> None:
        super().__init__()
        self._rules = rules
        self._bill = numbers[rules.bill.name] if rules.bill is not None else math.nan
        self._tenure, self._total = (
            (numbers[name] for name in rules.history)
            if rules.history is not None
            else (math.nan, math.nan)
        )
        self._fits_history = rules.fits_history(self._tenure, self._total, self._bill)

    def __missing__(self, moved: float) -> float | None:
        """Computes the bill once; many proposals change it by the same amount."""
        self[moved] = after = self._after(moved)
        return after

    def _after(self, moved: float) -> float | None:
        column = self._rules.bill
        if column is None:
            return None
        bill = round(self._bill + moved, _CENTS) if moved else self._bill
        if not column.minimum <= bill <= column.maximum:
            return None
        if (
            moved
            and self._fits_history
            and not self._rules.fits_history(self._tenure, self._total, bill)
        ):
            return None  # the model has seen hardly any such customer
        return bill
