"""What would have to be otherwise for a customer's risk to be lower, and by how much it would be.

Exhaustive: every single and double change that the contract allows is scored, in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.answers import Change, Counterfactual, Counterfactuals
from churn.explain.proposals import Proposal, proposals
from churn.explain.reasons import require_one
from churn.explain.rules import Codes, Rules
from churn.features.encoding import Columns
from churn.models.candidate import FittedModel

LEAST_FALL = 0.005
"""A fall of the risk by less than half a percentage point is not worth telling."""

MOST = 3
REACH = 2
_POINT = 0.01
_Chances = Callable[[Sequence[Proposal]], Sequence[float]]
"""The risk of the customer as is, then that of every proposal."""


class Way(NamedTuple):
    """One way to a lower risk.

    Attributes:
        sentence: to be read out.
        proposal: what is offered and what follows.
        risk: afterwards.
    """

    sentence: str
    proposal: Proposal
    risk: float


class Ways(NamedTuple):
    """The answer, before it is put into anybody's form.

    Attributes:
        risk: now.
        reached: whether the threshold can be got below, or is already.
        found: fewest changes first, then the lowest risk.
        sentence: the whole answer in one.
    """

    risk: float
    reached: bool
    found: list[Way]
    sentence: str


def counterfactuals(
    model: FittedModel,
    customer: Columns,
    contract: DataContract,
    *,
    threshold: float | None = None,
    most: int = MOST,
    reach: int = REACH,
) -> Counterfactuals:
    """The smallest changes that lower a customer's risk.

    Only columns that the contract calls actionable change, to categories that it offers; columns
    that follow others follow; the bill moves by the contract's prices, and is held where they are
    not known. Tenure and everything billed so far stay as they are. Two changes are told only where
    both of them help.

    Args:
        model: the model.
        customer: encoded columns with a single row.
        contract: the contract it was encoded by.
        threshold: probability to fall below; where nothing does, the farthest falls are told.
        most: how many ways at most of each number of changes.
        reach: how many changes at once, 1 or 2.

    Raises:
        InputError: the customer is not a single row or breaks the contract, or an argument is out
            of its range.
    """
    require_one(customer)
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"The risk was to fall below {threshold:g}; name a threshold in (0, 1).")
    if most < 1 or reach not in (1, 2):
        raise InputError(
            f"Asked for {most} ways of {reach} changes; ask for 1 or more, of 1 or 2 changes."
        )
    rules = Rules.of(contract)
    for name in (*rules.columns, *rules.numbers):
        if name not in customer:
            raise InputError(
                f"Column '{name}' is missing; contract '{contract.name}' needs it to tell what can "
                "be proposed. Add it to the customer."
            )
    codes = {name: int(customer[name][0]) for name in rules.columns}
    numbers = {name: float(customer[name][0]) for name in rules.numbers}
    rules.require(codes, numbers)

    def chances(possible: Sequence[Proposal]) -> Sequence[float]:
        found: list[float] = expit(model.logit(_rows(customer, possible, rules))).tolist()
        return found

    ways = ways_of(codes, numbers, rules, chances, threshold=threshold, most=most, reach=reach)
    return Counterfactuals(
        risk=ways.risk,
        threshold=threshold,
        reached=ways.reached,
        found=tuple(_counterfactual(way, codes, numbers, rules) for way in ways.found),
        sentence=ways.sentence,
    )


def ways_of(
    codes: Codes,
    numbers: Mapping[str, float],
    rules: Rules,
    chances: _Chances,
    *,
    threshold: float | None = None,
    most: int = MOST,
    reach: int = REACH,
) -> Ways:
    """The same for whoever has the customer's values at hand, and a way to score changed ones.

    Args:
        codes: the customer's categories and flags; they and the numbers keep to the rules.
        numbers: the others.
        rules: of the contract.
        chances: scores the customer as is, then with each of some proposals.
        threshold: as `counterfactuals`.
        most: as `counterfactuals`.
        reach: as `counterfactuals`.
    """
    possible = proposals(codes, numbers, rules, reach=reach)
    now, *risk = chances(possible)
    better = _worth_telling(possible, risk, now)
    reaching = [place for place in better if threshold is not None and risk[place] < threshold]
    reached = threshold is None or now < threshold or bool(reaching)
    if threshold is not None and now < threshold:
        chosen: list[int] = []
    else:
        chosen = _smallest(reaching, possible) if reaching else better
    chosen.sort(key=lambda place: (len(possible[place].offers), risk[place], place))
    told = [
        place
        for size in range(1, reach + 1)
        for place in [p for p in chosen if len(possible[p].offers) == size][:most]
    ]
    before = numbers[rules.bill.name] if rules.bill is not None else None
    found = [
        Way(
            _sentence(possible[place], risk[place], now, before, rules, threshold),
            possible[place],
            risk[place],
        )
        for place in told
    ]
    return Ways(now, reached, found, _in_one_sentence(found, now, threshold, reached=reached))


def changes_of(way: Way, codes: Codes, rules: Rules) -> list[dict[str, Any]]:
    """What a way changes, each as `Change` holds it."""
    offers = way.proposal.offers
    return [
        {
            "column": name,
            "before": rules.columns[name].categories[codes[name]],
            "after": rules.columns[name].categories[code],
            "follows": name not in offers,
        }
        for name, code in way.proposal.codes.items()
    ]


def _rows(customer: Columns, possible: Sequence[Proposal], rules: Rules) -> Columns:
    """The customer as is, then every proposal: one row each."""
    rows: dict[str, NDArray[Any]] = {
        name: np.repeat(values, len(possible) + 1) for name, values in customer.items()
    }
    for row, proposal in enumerate(possible, start=1):
        for name, code in proposal.codes.items():
            rows[name][row] = code
        if rules.bill is not None:
            rows[rules.bill.name][row] = proposal.bill
    return rows


def _worth_telling(possible: list[Proposal], risk: Sequence[float], now: float) -> list[int]:
    """Places of the proposals that lower the risk, and of which every part helps."""
    alone: dict[tuple[str, int], float] = {}
    found = []
    for place, (each, chance) in enumerate(zip(possible, risk, strict=True)):
        least = now
        if len(each.offers) == 1:  # these come first
            alone[next(iter(each.offers.items()))] = chance
        else:
            for offer in each.offers.items():
                least = min(least, alone.get(offer, now))
        if chance <= least - LEAST_FALL:
            found.append(place)
    return found


def _smallest(reaching: list[int], possible: list[Proposal]) -> list[int]:
    """Those of which no part alone would do."""
    single = [possible[p].offers for p in reaching if len(possible[p].offers) == 1]
    return [
        place
        for place in reaching
        if len(possible[place].offers) == 1
        or not any(offer.items() <= possible[place].offers.items() for offer in single)
    ]


def _counterfactual(
    way: Way, codes: Codes, numbers: Mapping[str, float], rules: Rules
) -> Counterfactual:
    proposal = way.proposal
    after = codes | proposal.codes
    row: dict[str, str | float] = {
        name: column.categories[after[name]] for name, column in rules.columns.items()
    }
    row |= numbers
    before = None
    if rules.bill is not None and proposal.bill is not None:
        before, row[rules.bill.name] = numbers[rules.bill.name], proposal.bill
    return Counterfactual(
        sentence=way.sentence,
        changes=tuple(Change(**change) for change in changes_of(way, codes, rules)),
        risk=way.risk,
        bill_before=before,
        bill_after=proposal.bill,
        bill_held=proposal.unpriced,
        row=row,
    )


def _sentence(
    proposal: Proposal,
    risk: float,
    now: float,
    bill: float | None,
    rules: Rules,
    threshold: float | None,
) -> str:
    offered = []
    for name, code in proposal.offers.items():
        column = rules.columns[name]
        text = column.categories[code]
        offered.append(column.offers[text] or f"{name} '{text}'")
    return (
        f"With {' and '.join(offered)} the risk falls {_fall(now, risk, threshold)}"
        f"{_bill_in_words(bill, proposal, rules)}."
    )


def _bill_in_words(before: float | None, proposal: Proposal, rules: Rules) -> str:
    after = proposal.bill
    if rules.bill is None or before is None or after is None:
        return ""
    if after == before:
        if not proposal.unpriced:
            return ""
        return (
            f"; the bill is held at {before:,.2f} {rules.bill.unit}, because the price of a "
            "service is not known"
        )
    way = "rises" if after > before else "falls"
    unpriced = ", the unknown price of a service not counted" if proposal.unpriced else ""
    return f"; the bill {way} from {before:,.2f} to {after:,.2f} {rules.bill.unit}{unpriced}"


def _fall(before: float, after: float, threshold: float | None) -> str:
    """'from 71% to 38%', with a decimal where whole percents hide the fall."""
    hidden = before - after < _POINT
    hidden |= threshold is not None and after < threshold <= round(after, 2)
    places = 1 if hidden else 0
    return f"from {before:.{places}%} to {after:.{places}%}"


def _in_one_sentence(
    found: Sequence[Way], now: float, threshold: float | None, *, reached: bool
) -> str:
    if threshold is not None and now < threshold:
        return f"The risk is {now:.0%}, below {threshold:.0%} as it is."
    if not found:
        return f"No change that the business can offer lowers the risk of {now:.0%}."
    best = min(found, key=lambda each: each.risk)
    if threshold is None:
        return best.sentence
    if reached:
        fewest = len(found[0].proposal.offers)
        many = sum(len(each.proposal.offers) == fewest for each in found)
        changes = "one change" if fewest == 1 else f"{fewest} changes together"
        ways = "1 way" if many == 1 else f"{many} ways"
        return f"{ways} to bring the risk below {threshold:.0%} by {changes}. {found[0].sentence}"
    return f"Nothing on offer brings the risk below {threshold:.0%}. {best.sentence}"
