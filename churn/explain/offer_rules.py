"""The rules of a contract for proposals to customers, prepared once.

Columns that follow another one follow it in a proposal, too; what contradicts the contract is not
proposed, nor what touches a column that cannot be acted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.scoring.fields import FieldError

Codes = dict[str, int]


@dataclass(frozen=True)
class Tie:
    """`column` has `code` exactly where `lead` has `lead_code`."""

    column: str
    code: int
    lead: str
    lead_code: int
    otherwise: int  # what the column becomes where it no longer follows: buying nothing

    def holds(self, codes: Mapping[str, int]) -> bool:
        """Whether a customer's codes keep it."""
        return (codes[self.column] == self.code) == (codes[self.lead] == self.lead_code)


class Offer(NamedTuple):
    """One thing that can be offered.

    Attributes:
        column: what it changes.
        code: into which category.
        tie_bits: the ties that the column is part of, as bits.
        prices: what each of the column's categories adds to the bill; empty if unknown.
        unpriced: whether it is a service whose price is not known.
        actionable: whether the column can be acted on.
    """

    column: str
    code: int
    tie_bits: int
    prices: tuple[float, ...]
    unpriced: bool
    actionable: bool


class OfferedChanges(NamedTuple):
    """What some offers change, including columns that follow.

    Attributes:
        codes: all that changes, in the contract's order; None where an offer contradicts the ties.
        tie_bits: the ties that had an influence, as bits: offers that share none do not alter this.
    """

    codes: Codes | None
    tie_bits: int


@dataclass(frozen=True)
class OfferRules:
    """The rules of one contract.

    Attributes:
        columns: categories and flags by name, in the contract's order.
        numbers: the others by name.
        offers: what can be offered at all, in the contract's order.
        actionable: names of the columns that can be acted on.
        unpriced: names of the services without prices in the contract.
        ties: which columns follow which.
        tie_bits: column -> the ties that it is part of, as bits.
        bill: the monthly bill; None where there is none, or more than one.
        history: tenure and total charges, if the contract says how far they may be from the bill.
        tolerance: how far: an amount, and a share of what was to be expected.
        contract: whose rules these are.
    """

    columns: Mapping[str, CodedColumn]
    numbers: Mapping[str, NumberColumn]
    offers: tuple[Offer, ...]
    actionable: frozenset[str]
    unpriced: frozenset[str]
    ties: tuple[Tie, ...]
    tie_bits: Mapping[str, int]
    bill: NumberColumn | None
    history: tuple[str, str] | None
    tolerance: tuple[float, float]
    contract: DataContract

    @classmethod
    def from_contract(cls, contract: DataContract) -> OfferRules:
        """The rules of a contract."""
        coded = {column.name: column for column in contract.coded}
        ties = _ties(contract, coded)
        tenure = contract.only_number(Role.TENURE)
        total = contract.only_number(Role.TOTAL_CHARGE)
        charges = contract.expectations.charges
        judged = tenure is not None and total is not None and charges is not None
        tie_bits = {
            name: sum(
                1 << place for place, tie in enumerate(ties) if name in (tie.column, tie.lead)
            )
            for name in coded
        }
        unpriced = frozenset(
            name
            for name, column in coded.items()
            if Role.SERVICE in column.roles and not column.prices
        )
        return cls(
            columns=coded,
            numbers={column.name: column for column in contract.numbers},
            offers=tuple(
                Offer(
                    name, code, tie_bits[name], column.prices, name in unpriced, column.actionable
                )
                for name, column in coded.items()
                for code, category in enumerate(column.categories)
                if category in column.offers
            ),
            actionable=frozenset(name for name, column in coded.items() if column.actionable),
            unpriced=unpriced,
            ties=ties,
            tie_bits=tie_bits,
            bill=contract.only_number(Role.MONTHLY_CHARGE),
            history=(tenure.name, total.name) if judged and tenure and total else None,
            tolerance=(charges.absolute, charges.relative) if charges is not None else (0.0, 0.0),
            contract=contract,
        )

    def require_ties(self, codes: Mapping[str, int]) -> None:
        """Refuses a customer whose columns contradict each other.

        Raises:
            FieldError: which.
        """
        for tie in self.ties:
            if not tie.holds(codes):
                own, lead = self.columns[tie.column], self.columns[tie.lead]
                raise FieldError(
                    f"Column '{tie.column}' is '{own.categories[codes[tie.column]]}' where "
                    f"'{tie.lead}' is '{lead.categories[codes[tie.lead]]}', which contract "
                    f"'{self.contract.name}' rules out. Correct the customer's row.",
                    field=tie.column,
                )

    def follow(self, codes: Mapping[str, int], offers: Codes) -> OfferedChanges:
        """What changes once columns that follow have followed.

        Args:
            codes: the customer's, which keep every tie: only ties near a change can be broken.
            offers: what is proposed instead.
        """
        tie_bits = 0
        for name in offers:
            tie_bits |= self.tie_bits[name]
        changed, found = offers, {**codes, **offers}
        for _ in range(len(self.ties) + 1):
            broken = [tie for tie in self._ties_in(tie_bits) if not tie.holds(found)]
            if not broken:
                if changed is not offers:
                    changed = {name: code for name, code in changed.items() if code != codes[name]}
                return OfferedChanges(changed, tie_bits)
            changed = dict(changed)
            for tie in broken:
                if tie.column in offers:
                    return OfferedChanges(None, tie_bits)
                leads = found[tie.lead] == tie.lead_code
                found[tie.column] = tie.code if leads else tie.otherwise
                changed[tie.column] = found[tie.column]
                tie_bits |= self.tie_bits[tie.column]
        return OfferedChanges(None, tie_bits)  # the contract's ties contradict each other

    def _ties_in(self, tie_bits: int) -> Iterator[Tie]:
        while tie_bits:
            lowest = tie_bits & -tie_bits
            yield self.ties[lowest.bit_length() - 1]
            tie_bits ^= lowest

    def in_order(self, codes: Mapping[str, int]) -> Codes:
        """The same in the contract's order."""
        if len(codes) == 1:
            return dict(codes)
        return {name: codes[name] for name in self.columns if name in codes}

    def price(self, codes: Mapping[str, int]) -> float:
        """What columns with these codes add to the bill, summed in the contract's order."""
        total = 0.0
        for name in self.in_order(codes):
            if prices := self.columns[name].prices:
                total += prices[codes[name]]
        return total

    def fits_history(self, tenure: float, total: float, bill: float) -> bool:
        """Whether total charges agree with tenure times a bill, by the contract's tolerance."""
        if self.history is None:
            return True
        absolute, relative = self.tolerance
        expected = tenure * bill
        return abs(total - expected) <= absolute + relative * expected


def _ties(contract: DataContract, coded: Mapping[str, CodedColumn]) -> tuple[Tie, ...]:
    return tuple(
        Tie(
            column=rule.column,
            code=coded[rule.column].categories.index(rule.value),
            lead=rule.follows_column,
            lead_code=coded[rule.follows_column].categories.index(rule.follows_value),
            otherwise=_no_service_category(coded[rule.column], rule.value),
        )
        for rule in contract.expectations.implications
        if rule.column in coded and rule.follows_column in coded
    )


def _no_service_category(column: CodedColumn, but: str) -> int:
    """The first category other than `but`, one that buys nothing where there is one."""
    others = [value for value in column.categories if value != but]
    free = [value for value in others if value not in column.yes]
    return column.categories.index((free or others)[0])
