"""Sentences on what would lower a customer's risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churn.contract import CodedColumn, NumberColumn
from churn.explain.offer_rules import OfferRules
from churn.explain.proposals import Proposal

_POINT = 0.01


def counterfactual_sentence(
    proposal: Proposal,
    *,
    before: float,
    after: float,
    threshold: float | None,
    bill: float | None,
    rules: OfferRules,
) -> str:
    """What a proposal changes, how far the risk falls, and what it does to the bill.

    `before` and `after` are the risks, `threshold` the probability to fall below, if any, `bill`
    the monthly bill now, None where the contract has none.
    """
    offers = " and ".join(
        _offer(rules.columns, name, code) for name, code in proposal.offers.items()
    )
    return (
        f"With {offers} the risk falls {_fall(before, after, threshold)}"
        f"{_bill_change(bill, proposal, rules.bill)}."
    )


def summary_sentence(
    sentences: Sequence[tuple[str, float, int]],
    risk: float,
    threshold: float | None,
    *,
    any_offers: bool = True,
) -> str:
    """The result of a search in one sentence.

    Args:
        sentences: of each counterfactual its sentence, its risk and its number of offers; fewest
            offers first.
        risk: now.
        threshold: probability that the risk should fall below, if any.
        any_offers: whether the data contract names offers at all.
    """
    if threshold is not None and risk < threshold:
        return f"The risk is {risk:.0%}, below {threshold:.0%} as it is."
    if not any_offers:
        return (
            f"The data contract names no offers, so none was tried against the risk of {risk:.0%}."
        )
    if not sentences:
        return f"No change that the business can offer lowers the risk of {risk:.0%}."
    best = min(sentences, key=lambda each: each[1])[0]
    if threshold is None:
        return best
    first, after, fewest = sentences[0]
    if not after < threshold:
        return f"Nothing on offer brings the risk below {threshold:.0%}. {best}"
    many = sum(offers == fewest for _, _, offers in sentences)
    changes = "one change" if fewest == 1 else f"{fewest} changes together"
    count_text = "1 way" if many == 1 else f"{many} ways"
    return f"{count_text} to bring the risk below {threshold:.0%} by {changes}. {first}"


def _offer(columns: Mapping[str, CodedColumn], name: str, code: int) -> str:
    column = columns[name]
    category = column.categories[code]
    return column.offers[category] or f"{name} '{category}'"


def _fall(before: float, after: float, threshold: float | None) -> str:
    """'from 71% to 38%', with a decimal where whole percents hide the fall."""
    hidden = before - after < _POINT
    hidden |= threshold is not None and after < threshold <= round(after, 2)
    places = 1 if hidden else 0
    return f"from {before:.{places}%} to {after:.{places}%}"


def _bill_change(before: float | None, proposal: Proposal, bill: NumberColumn | None) -> str:
    after = proposal.bill
    if bill is None or before is None or after is None:
        return ""
    if after == before:
        if not proposal.unpriced:
            return ""
        return (
            f"; the bill is held at {before:,.2f} {bill.unit}, because the price of a "
            "service is not known"
        )
    direction = "rises" if after > before else "falls"
    unpriced = ", the unknown price of a service not counted" if proposal.unpriced else ""
    return f"; the bill {direction} from {before:,.2f} to {after:,.2f} {bill.unit}{unpriced}"
