"""What a column probably means to the business, from its name and kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from churn.contract import Role

_NUMBER_ROLES: tuple[tuple[Role, str], ...] = (
    (
        Role.TENURE,
        (
            r"tenure( .*)?|(customer )?tenure|months on book|account (length|age)|"
            r"(membership|subscription|customer) (length|months|age)|months (as|with) .*"
        ),
    ),
    (
        Role.MONTHLY_CHARGE,
        r"(.* )?month(ly)? (charges?|fees?|bills?|price|cost|amount|payment|spend)|mrr|arpu",
    ),
    (
        Role.TOTAL_CHARGE,
        r"(total|lifetime|cumulative) (charges?|billed|spend|spent|revenue|amount|paid|payments)",
    ),
    (Role.SENSITIVE, r"(.* )?age"),
    (Role.HOUSEHOLD, r"(.* )?(dependents?|children|kids|family size|household.*)"),
)
_CODED_ROLES: tuple[tuple[Role, str], ...] = (
    (
        Role.SENSITIVE,
        (
            r"(.* )?(gender|sex|age|race|ethnic\w*|religion|nationality|disabled|disability)( .*)?|"
            r"(is )?senior( citizen)?"
        ),
    ),
    (
        Role.HOUSEHOLD,
        r"(.* )?(partner|dependents?|children|kids|married|marital status|spouse|household.*)",
    ),
    (Role.PAYMENT, r"(.* )?(payment|pay) (method|type|mode|means)|auto ?pay|payment"),
    (Role.BILLING, r"paperless.*|e ?bill\w*|(.* )?(billing|invoice) (method|type)|billing"),
    (Role.INTERNET, r"internet( service| type| plan)?"),
    (Role.PHONE, r"(tele)?phone( service| plan)?|landline"),
    (Role.STREAMING, r"(.* )?streaming( .*)?"),
    (Role.PROTECTION, r"(.* )?(security|backup|protection|support|insurance|warranty)"),
    (Role.SERVICE, r"(.* )?(plan|lines?|service|option|add ?on|pack|package)"),
)
_SERVICES = frozenset({Role.INTERNET, Role.PHONE, Role.STREAMING, Role.PROTECTION, Role.SERVICE})
_TERM = re.compile(r"(.* )?(contract|term|subscription|commitment|plan|membership)( .*)?")
_MONTHS = re.compile(r"(\d+|one|two|three) ?-?(month|year)s?( .*)?", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3}
_TERMS = {
    "month-to-month": 1,
    "monthly": 1,
    "quarterly": 3,
    "annual": 12,
    "annually": 12,
    "yearly": 12,
}
_ONE_COLUMN = frozenset({Role.TENURE, Role.MONTHLY_CHARGE, Role.TOTAL_CHARGE, Role.CONTRACT_TERM})

QUESTIONS: Mapping[Role, str] = {
    Role.TENURE: "is this how long the customer has been one",
    Role.MONTHLY_CHARGE: "is this what is billed a month",
    Role.TOTAL_CHARGE: "is this what was billed so far",
    Role.SERVICE: "is this a service that a customer has or has not",
    Role.PROTECTION: "is it for protection or support",
    Role.STREAMING: "is it for streaming",
    Role.INTERNET: "is it internet access",
    Role.PHONE: "is it a telephone line",
    Role.CONTRACT_TERM: "is this the contract's term, and are the months right",
    Role.PAYMENT: "is this how bills are paid",
    Role.BILLING: "is this how bills are sent",
    Role.HOUSEHOLD: "does this say who the customer lives with",
    Role.SENSITIVE: "is this something that must not decide how a person is treated",
}
"""What a person is asked about a guessed role."""


def add_roles(column: dict[str, Any], words: str, taken: set[Role]) -> None:
    """Adds the roles that a drafted column probably has, what they need, and the question.

    Args:
        column: The column, as a contract file says it.
        words: Its name in words.
        taken: The roles that one column alone may have and one has; added to.
    """
    coded = column["kind"] in {"category", "flag"}
    months = [_months(text) for text in column.get("categories", ())]
    if months and None not in months and _TERM.fullmatch(words):
        roles = [Role.CONTRACT_TERM]
        column["months"] = months
    else:
        roles = _roles(words, _CODED_ROLES if coded else _NUMBER_ROLES)
    if _SERVICES & set(roles) and not _count_as_service(column, roles):
        roles = []
    roles = [role for role in roles if role not in taken]
    taken |= _ONE_COLUMN & set(roles)
    if roles:
        column["roles"] = [role.value for role in roles]
        column["confirm"] = "; ".join(QUESTIONS[role] for role in roles) + "?"


def _roles(words: str, known: tuple[tuple[Role, str], ...]) -> list[Role]:
    return next(([role] for role, pattern in known if re.fullmatch(pattern, words)), [])


def _count_as_service(column: dict[str, Any], roles: list[Role]) -> bool:
    """Says which categories of a service count as having it; whether any can be told."""
    if Role.SERVICE not in roles:
        roles.insert(0, Role.SERVICE)
    if column["kind"] == "flag":
        return True
    categories = column["categories"]
    yes = [text for text in categories if text.casefold() == "yes"]
    none = [text for text in categories if text.casefold().partition(" ")[0] in {"no", "none"}]
    if not yes and none:
        yes = [text for text in categories if text not in none]
    if yes:
        column["yes"] = yes
    return bool(yes)


def _months(text: str) -> int | None:
    """How many months a contract's term has; None if the text says none."""
    known = _TERMS.get(text.casefold().replace(" ", "-"), _TERMS.get(text.casefold()))
    found = _MONTHS.fullmatch(text)
    if known or found is None:
        return known
    count = _COUNTS.get(found[1].casefold()) or int(found[1])
    return count * (12 if found[2].casefold() == "year" else 1)
