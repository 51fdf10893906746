"""What a business could propose to one customer: every single and double change that can be.

A proposal names offers of the contract. Columns that follow another one follow it here, too; the
bill moves by the contract's prices. What contradicts the contract is not proposed, nor what touches
a column that cannot be acted on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.errors import InputError
from churn.features.encoding import Columns

Codes = dict[str, int]
_CENTS = 2


@dataclass(frozen=True)
class Proposal:
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


@dataclass(frozen=True)
class _Tie:
    """`column` has `code` exactly where `lead` has `lead_code`."""

    column: str
    code: int
    lead: str
    lead_code: int
    otherwise: int  # what the column becomes where it no longer follows: buying nothing

    def holds(self, codes: Mapping[str, int]) -> bool:
        return (codes[self.column] == self.code) == (codes[self.lead] == self.lead_code)


@dataclass(frozen=True)
class Rules:
    """What the contract says that a proposal must keep to; made once, asked for every customer.

    Attributes:
        columns: categories and flags by name, in the contract's order.
        numbers: the others by name.
        ties: which columns follow which.
        near: column -> places of the ties that it has a part in, in order.
        bill: the monthly bill; None where there is none, or more than one.
        past: tenure and total charges, where the contract says how far they may be from the bill.
        contract: whose rules these are.
    """

    columns: Mapping[str, CodedColumn]
    numbers: Mapping[str, NumberColumn]
    ties: tuple[_Tie, ...]
    near: Mapping[str, tuple[int, ...]]
    bill: NumberColumn | None
    past: tuple[str, str] | None
    contract: DataContract

    @classmethod
    def of(cls, contract: DataContract) -> Rules:
        """The rules of a contract."""
        coded = {column.name: column for column in contract.coded}
        rules = contract.expectations.implications
        tied = [rule for rule in rules if rule.column in coded and rule.follows_column in coded]
        ties = tuple(
            _Tie(
                column=rule.column,
                code=coded[rule.column].categories.index(rule.value),
                lead=rule.follows_column,
                lead_code=coded[rule.follows_column].categories.index(rule.follows_value),
                otherwise=_buying_nothing(coded[rule.column], rule.value),
            )
            for rule in tied
        )
        tenure = _only_number(contract, Role.TENURE)
        total = _only_number(contract, Role.TOTAL_CHARGE)
        past = None
        if tenure is not None and total is not None and contract.expectations.charges is not None:
            past = (tenure.name, total.name)
        return cls(
            columns=coded,
            numbers={column.name: column for column in contract.numbers},
            ties=ties,
            near={
                name: tuple(
                    place for place, tie in enumerate(ties) if name in (tie.column, tie.lead)
                )
                for name in coded
            },
            bill=_only_number(contract, Role.MONTHLY_CHARGE),
            past=past,
            contract=contract,
        )

    def require(self, customer: Columns) -> None:
        """Refuses a customer that the contract does not allow: no proposal could be judged.

        Raises:
            InputError: a column is missing, a number is out of its range, a code is unknown, or
                columns contradict each other.
        """
        for name in (*self.columns, *self.numbers):
            if name not in customer:
                raise InputError(
                    f"Column '{name}' is missing; contract '{self.contract.name}' needs it to tell "
                    "what can be proposed. Add it to the customer."
                )
        for name, column in self.columns.items():
            if not 0 <= int(customer[name][0]) < len(column.categories):
                raise InputError(
                    f"Column '{name}': code {customer[name][0]} is none of its "
                    f"{len(column.categories)} categories. Encode the customer by contract "
                    f"'{self.contract.name}'."
                )
        for name, number in self.numbers.items():
            if not number.minimum <= float(customer[name][0]) <= number.maximum:
                raise InputError(
                    f"Column '{name}': {customer[name][0]:g} lies outside {number.minimum:,g} to "
                    f"{number.maximum:,g} {number.unit}. Correct the customer's row."
                )
        codes = {name: int(customer[name][0]) for name in self.columns}
        for tie in self.ties:
            if not tie.holds(codes):
                own, lead = self.columns[tie.column], self.columns[tie.lead]
                raise InputError(
                    f"Column '{tie.column}' is '{own.categories[codes[tie.column]]}' where "
                    f"'{tie.lead}' is '{lead.categories[codes[tie.lead]]}', which contract "
                    f"'{self.contract.name}' rules out. Correct the customer's row."
                )

    def complete(self, codes: Codes, offers: Codes) -> Codes | None:
        """What changes once columns that follow have followed; None where an offer contradicts them.

        Args:
            codes: the customer's, which keep every tie: only ties near a change can be broken.
            offers: what is proposed instead.
        """
        changed = dict(offers)
        found = codes | offers
        near = {place for name in offers for place in self.near[name]}
        for _ in range(len(self.ties) + 1):
            broken = [tie for place in sorted(near) if not (tie := self.ties[place]).holds(found)]
            if not broken:
                return {name: code for name, code in changed.items() if code != codes[name]}
            for tie in broken:
                if tie.column in offers:
                    return None
                leads = found[tie.lead] == tie.lead_code
                found[tie.column] = tie.code if leads else tie.otherwise
                changed[tie.column] = found[tie.column]
                near.update(self.near[tie.column])
        return None  # the contract's ties contradict each other


def proposals(customer: Columns, rules: Rules, *, reach: int) -> list[Proposal]:
    """Every proposal of at most `reach` offers, fewest first.

    Args:
        customer: encoded columns with a single row.
        rules: of the contract it was encoded by.
        reach: how many offers at once.

    Raises:
        InputError: the customer's row breaks the contract.
    """
    rules.require(customer)
    before = {name: int(customer[name][0]) for name in rules.columns}
    order = {name: place for place, name in enumerate(rules.columns)}
    billed = _Billed.of(customer, rules)
    single = [
        (column.name, code)
        for column in rules.columns.values()
        for code, category in enumerate(column.categories)
        if category in column.offers and code != before[column.name]
    ]
    found: dict[frozenset[tuple[str, int]], Proposal] = {}
    for offers in _together(single, reach):
        codes = rules.complete(before, offers)
        if codes is None or not all(rules.columns[name].actionable for name in codes):
            continue
        # Fewest offers come first: what a single one brings about needs no second.
        key = frozenset(codes.items())
        if key in found:
            continue
        ordered = {name: codes[name] for name in sorted(codes, key=order.__getitem__)}
        proposal = _proposal(offers, ordered, before, billed, rules)
        if proposal is not None:
            found[key] = proposal
    return list(found.values())


@dataclass(frozen=True)
class _Billed:
    """What a customer pays, and has paid.

    Attributes:
        bill: the monthly bill; nan where there is none.
        tenure: months, where bills and total charges are to agree; nan where not.
        total: what was paid in them.
        in_step: whether they agree as it is.
    """

    bill: float
    tenure: float
    total: float
    in_step: bool

    @classmethod
    def of(cls, customer: Columns, rules: Rules) -> _Billed:
        """A customer's, under a contract's rules."""
        bill = float(customer[rules.bill.name][0]) if rules.bill is not None else math.nan
        tenure, total = (
            (float(customer[name][0]) for name in rules.past)
            if rules.past is not None
            else (math.nan, math.nan)
        )
        return cls(bill, tenure, total, _in_step(tenure, total, bill, rules))


def _together(single: list[tuple[str, int]], reach: int) -> Iterator[Codes]:
    sizes = (combinations(single, size) for size in range(1, reach + 1))
    for offers in chain.from_iterable(sizes):
        if len({name for name, _ in offers}) == len(offers):
            yield dict(offers)


def _proposal(
    offers: Codes, codes: Codes, before: Codes, billed: _Billed, rules: Rules
) -> Proposal | None:
    touched = [rules.columns[name] for name in codes]
    unpriced = any(Role.SERVICE in column.roles and not column.prices for column in touched)
    if rules.bill is None:
        return Proposal(offers, codes, None, unpriced)
    moved = _added(touched, codes) - _added(touched, before)
    bill = round(billed.bill + moved, _CENTS) if moved else billed.bill
    if not rules.bill.minimum <= bill <= rules.bill.maximum:
        return None
    if billed.in_step and not _in_step(billed.tenure, billed.total, bill, rules):
        return None  # a bill out of step with the past: the model has seen next to no such customer
    return Proposal(offers, codes, bill, unpriced)


def _added(columns: Iterable[CodedColumn], codes: Codes) -> float:
    """What some columns add to the bill."""
    return sum(column.prices[codes[column.name]] for column in columns if column.prices)


def _in_step(tenure: float, total: float, bill: float, rules: Rules) -> bool:
    """Whether total charges agree with tenure times a bill, by the contract's tolerance."""
    rule = rules.contract.expectations.charges
    if rule is None or rules.past is None:
        return True
    expected = tenure * bill
    return abs(total - expected) <= rule.absolute + rule.relative * expected


def _only_number(contract: DataContract, role: Role) -> NumberColumn | None:
    found = contract.with_role(role)
    return found[0] if len(found) == 1 and isinstance(found[0], NumberColumn) else None


def _buying_nothing(column: CodedColumn, but: str) -> int:
    """The first category other than `but`, one that buys nothing where there is one."""
    others = [value for value in column.categories if value != but]
    free = [value for value in others if value not in column.yes]
    return column.categories.index((free or others)[0])
