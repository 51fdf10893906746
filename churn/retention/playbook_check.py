"""What a playbook says that the data contract does not know, or that can never hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.errors import did_you_mean
from churn.retention.playbook import Condition, Offer, Playbook

Fault = tuple[tuple[str | int, ...], str]
"""Where in the file, and a sentence."""


def playbook_faults(playbook: Playbook, contract: DataContract) -> Iterator[Fault]:
    """Everything at fault, in the file's order; nothing where the playbook fits the contract."""
    if playbook.contract != contract.name:
        yield (
            ("contract",),
            (
                f"the playbook is for the data contract '{playbook.contract}', and the run's is "
                f"'{contract.name}'; name the right playbook with --set playbook=PATH."
            ),
        )
        return
    for place, floor in enumerate(playbook.fairness):
        for fault in _column_fault(floor.column, contract):
            yield ("fairness", place, "column"), fault
        if not isinstance(_column(floor.column, contract), CodedColumn):
            yield ("fairness", place, "column"), f"'{floor.column}' has no categories to compare."
    for name, offer in playbook.offers.items():
        for where, fault in _offer_faults(offer, playbook, contract):
            yield ("offers", name, *where), fault
    yield from _overlaps(playbook, contract)


def _offer_faults(offer: Offer, playbook: Playbook, contract: DataContract) -> Iterator[Fault]:
    if offer.channel not in playbook.channels:
        known = ", ".join(playbook.channels)
        yield ("channel",), f"there is no channel '{offer.channel}'; known: {known}."
    charges = contract.with_role(Role.MONTHLY_CHARGE)
    if offer.cost.bills and len(charges) != 1:
        yield (
            ("cost", "bills"),
            (
                f"the contract '{contract.name}' has no single column with the role monthly_charge, so a "
                "cost in bills is not known; write it as incentive."
            ),
        )
    for column, category in offer.proposes.items():
        for fault in _category_faults(column, (category,), contract):
            yield ("proposes", column), fault
        if offer.eligibility.get(column, Condition()).categories == (category,):
            yield (
                ("eligibility", column),
                f"nobody can be eligible: whoever has {column} '{category}' has what is proposed.",
            )
    for column, condition in offer.eligibility.items():
        for fault in _condition_faults(column, condition, contract):
            yield ("eligibility", column), fault
    yield from _contradictions(offer, contract)


def _condition_faults(column: str, condition: Condition, contract: DataContract) -> Iterator[str]:
    found = _column(column, contract)
    if not isinstance(found, NumberColumn):
        if found is not None and not condition.categories:
            yield f"'{column}' has categories, so its condition is a list of some: {_listed(found)}."
        yield from _category_faults(column, condition.categories, contract)
        return
    if condition.categories or condition.at_least is condition.at_most is None:
        yield f"'{column}' is a number, so its condition is at_least, at_most or both."
        return
    low = found.minimum if condition.at_least is None else condition.at_least
    high = found.maximum if condition.at_most is None else condition.at_most
    if low > high or low > found.maximum or high < found.minimum:
        yield (
            f"nobody can be eligible: no '{column}' is at least {low:g} and at most {high:g}; the "
            f"contract allows {found.minimum:g} to {found.maximum:g}."
        )


def _category_faults(
    column: str, categories: tuple[str, ...], contract: DataContract
) -> Iterator[str]:
    yield from _column_fault(column, contract)
    found = _column(column, contract)
    if not isinstance(found, CodedColumn):
        return
    for place, category in enumerate(categories):
        if category not in found.categories:
            yield f"'{column}' has no category '{category}'; known: {_listed(found)}."
        elif category in categories[:place]:
            yield f"'{column}' names the category '{category}' twice; keep one."


def _contradictions(offer: Offer, contract: DataContract) -> Iterator[Fault]:
    """Conditions on two columns of which one follows from the other."""
    for rule in contract.expectations.implications:
        own = set(offer.eligibility.get(rule.column, Condition()).categories)
        leading = set(offer.eligibility.get(rule.follows_column, Condition()).categories)
        without = own and rule.value not in own and leading == {rule.follows_value}
        only = own == {rule.value} and leading and rule.follows_value not in leading
        if without or only:
            yield (
                ("eligibility", rule.column),
                (
                    f"nobody can be eligible: '{rule.column}' is '{rule.value}' exactly where "
                    f"'{rule.follows_column}' is '{rule.follows_value}'."
                ),
            )


def _overlaps(playbook: Playbook, contract: DataContract) -> Iterator[Fault]:
    """Variants of one offer that a customer could be eligible for both of."""
    for (one, first), (other, second) in combinations(playbook.offers.items(), 2):
        same_family = first.family and first.family == second.family
        same_change = first.proposes and first.proposes == second.proposes
        if not (same_family or same_change):
            continue
        shared = set(first.eligibility) & set(second.eligibility)
        if all(_meet(first.eligibility[c], second.eligibility[c], contract, c) for c in shared):
            what = f"of the family '{first.family}'" if same_family else "that propose the same"
            yield (
                ("offers", other, "eligibility"),
                (
                    f"'{one}' and '{other}' are offers {what}, and a customer can be eligible for both; "
                    "make their conditions exclude each other."
                ),
            )


def _meet(one: Condition, other: Condition, contract: DataContract, column: str) -> bool:
    if one.categories:
        return bool(set(one.categories) & set(other.categories))
    found = contract.column(column)
    assert isinstance(found, NumberColumn)  # noqa: S101 - checked before
    lows = [found.minimum if c.at_least is None else c.at_least for c in (one, other)]
    highs = [found.maximum if c.at_most is None else c.at_most for c in (one, other)]
    return max(lows) <= min(highs)


def _column(name: str, contract: DataContract) -> CodedColumn | NumberColumn | None:
    return next((each for each in contract.features if each.name == name), None)


def _column_fault(name: str, contract: DataContract) -> Iterator[str]:
    if _column(name, contract) is None:
        known = [each.name for each in contract.features]
        near = did_you_mean(name, known)
        hint = f" Did you mean '{near}'?" if near else f" Known: {', '.join(known)}."
        yield f"the contract '{contract.name}' has no column '{name}'.{hint}"


def _listed(column: CodedColumn) -> str:
    return ", ".join(f"'{each}'" for each in column.categories)
