"""What would have to be different for a customer's risk to be lower, and how far it would fall.

Exhaustive: every single and double change that the contract allows is scored. Customers of a table
are searched one by one, by the code that searches for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from scipy.special import expit

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.counterfactual_wording import counterfactual_sentence, summary_sentence
from churn.explain.offer_rules import Codes, OfferRules
from churn.explain.proposals import Proposal, proposals
from churn.features.encoding import Columns
from churn.models.candidate import FittedModel
from churn.scoring.columns import checked
from churn.scoring.encoder import Values
from churn.scoring.fast.row_scorer import RowScorer

LEAST_FALL = 0.005
"""A fall of the risk by less than half a percentage point is left out."""

MOST = 3
MOST_CHANGES = 2
CAVEAT = (
    "An association in the model, not a promised effect: customers who are like this left less "
    "often, which does not show that an offer keeps a customer; only an experiment can."
)


Probability = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Change:
    """One column that would be different.

    Attributes:
        column: column of the table.
        before: its category now.
        after: its category then.
        follows: whether it only follows from another change.
    """

    column: str
    before: str
    after: str
    follows: bool


@dataclass(frozen=True)
class Counterfactual:
    """Changes that lower the risk.

    Attributes:
        sentence: to be read out, together with the caveat.
        changes: what is proposed, and what follows from it.
        risk: the model's probability for the changed customer.
        bill_before: monthly bill now; None where the contract has none.
        bill_after: monthly bill then; the same where nothing that is priced changes.
        bill_held: whether a service changes whose price is not known.
    """

    sentence: str
    changes: tuple[Change, ...]
    risk: Probability
    bill_before: float | None
    bill_after: float | None
    bill_held: bool

    @property
    def offers(self) -> int:
        """How many things are proposed."""
        return sum(not change.follows for change in self.changes)


@dataclass(frozen=True)
class Counterfactuals:
    """What would lower one customer's risk.

    Attributes:
        risk: the model's probability now.
        threshold: what the risk should fall below; None where it should fall as far as it can.
        reached: whether it can (or already is); True without a threshold.
        found: fewest changes first, then the lowest risk.
        sentence: the result in one sentence.
        caveat: what none of this promises.
    """

    risk: float
    threshold: float | None
    reached: bool
    found: tuple[Counterfactual, ...]
    sentence: str
    caveat: str = CAVEAT


class CounterfactualSearch:
    """Finds what would lower customers' risks, one by one; holds nothing of any of them.

    Attributes:
        rules: what the contract allows to be proposed.
    """

    def __init__(self, scorer: RowScorer) -> None:
        """Prepares the contract's rules."""
        self.rules = OfferRules.from_contract(scorer.contract)
        self._scorer = scorer
        self._places = places = {name: place for place, name in enumerate(scorer.names)}
        self._coded = tuple((name, places[name]) for name in self.rules.columns)
        self._numbers = tuple((name, places[name]) for name in self.rules.numbers)
        self._any_offers = any(column.offers for column in self.rules.columns.values())
        self._bill = places[self.rules.bill.name] if self.rules.bill is not None else None

    def customer(
        self,
        values: Values,
        logit: float,
        threshold: float | None = None,
        *,
        most: int = MOST,
        most_changes: int = MOST_CHANGES,
    ) -> Counterfactuals:
        """The smallest changes that lower one customer's risk.

        Args:
            values: the customer's, each allowed by itself.
            logit: the customer's.
            threshold: probability to fall below; without one the farthest falls are given.
            most: how many counterfactuals at most of each number of changes.
            most_changes: how many changes at once, 1 or 2.

        Raises:
            InputError: the customer's fields contradict each other.
        """
        rules = self.rules
        codes = {name: int(values[place]) for name, place in self._coded}
        numbers = {name: values[place] for name, place in self._numbers}
        rules.require_ties(codes)
        possible = proposals(codes, numbers, rules, most_changes=most_changes)
        logits = self._scorer.logits_changed(values, [self._change(p, values) for p in possible])
        now, *risks = expit([logit, *logits]).tolist()
        chosen = _choose(possible, risks, now, threshold, most=most, most_changes=most_changes)
        bill = values[self._bill] if self._bill is not None else None
        found = [
            Counterfactual(
                sentence=counterfactual_sentence(
                    proposal, before=now, after=risk, threshold=threshold, bill=bill, rules=rules
                ),
                changes=_changes(proposal, codes, rules),
                risk=risk,
                bill_before=bill,
                bill_after=proposal.bill,
                bill_held=proposal.unpriced,
            )
            for proposal, risk in ((possible[place], risks[place]) for place in chosen)
        ]
        lowest = min(now, *(each.risk for each in found), 1.0)
        sentences = [(each.sentence, each.risk, each.offers) for each in found]
        return Counterfactuals(
            risk=now,
            threshold=threshold,
            reached=threshold is None or lowest < threshold,
            found=tuple(found),
            sentence=summary_sentence(sentences, now, threshold, any_offers=self._any_offers),
        )

    def _change(self, proposal: Proposal, values: Values) -> dict[int, float]:
        """New values of a proposal, by their places."""
        places = self._places
        changed: dict[int, float] = {places[name]: code for name, code in proposal.codes.items()}
        place, bill = self._bill, proposal.bill
        if place is not None and bill is not None and bill != values[place]:
            changed[place] = bill
        return changed


def counterfactuals(
    model: FittedModel,
    columns: Columns,
    contract: DataContract,
    *,
    threshold: float | None = None,
    most: int = MOST,
    most_changes: int = MOST_CHANGES,
) -> list[Counterfactuals]:
    """The smallest changes that lower each customer's risk.

    Only columns that the contract calls actionable change, to categories that it offers; columns
    that follow others follow; the bill moves by the contract's prices, and is held where they are
    not known. Tenure and everything billed so far stay as they are. Two changes are given only if
    both of them help.

    Args:
        model: the model.
        columns: encoded columns of n customers.
        contract: the contract they were encoded by.
        threshold: probability to fall below; where nothing does, the farthest falls are given.
        most: how many counterfactuals at most of each number of changes.
        most_changes: how many changes at once, 1 or 2.

    Raises:
        InputError: a customer breaks the contract, or an argument is out of its range.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"threshold is {threshold:g}; give a number between 0 and 1.")
    if most < 1 or most_changes not in (1, 2):
        raise InputError(
            f"most is {most} and most_changes is {most_changes}; give most of at least 1, and "
            "most_changes of 1 or 2."
        )
    scorer = RowScorer(model, contract)
    search = CounterfactualSearch(scorer)
    rows = scorer.table_values(checked(columns, contract))
    return [
        search.customer(
            values, scorer.logit(values), threshold, most=most, most_changes=most_changes
        )
        for values in rows
    ]


def _choose(
    possible: list[Proposal],
    risks: Sequence[float],
    now: float,
    threshold: float | None,
    *,
    most: int,
    most_changes: int,
) -> list[int]:
    """Places of the proposals to give: fewest changes first, then the lowest risk."""
    if threshold is not None and now < threshold:
        return []
    better = _improving(possible, risks, now)
    reaching = [place for place in better if threshold is not None and risks[place] < threshold]
    chosen = _smallest(reaching, possible) if reaching else better
    chosen.sort(key=lambda place: (len(possible[place].offers), risks[place], place))
    return [
        place
        for size in range(1, most_changes + 1)
        for place in [p for p in chosen if len(possible[p].offers) == size][:most]
    ]


def _improving(possible: list[Proposal], risks: Sequence[float], now: float) -> list[int]:
    """Places of the proposals that lower the risk, and of which every part helps."""
    alone: dict[tuple[str, int], float] = {}
    places = []
    for place, (each, risk) in enumerate(zip(possible, risks, strict=True)):
        least = now
        if len(each.offers) == 1:  # these come first
            alone[next(iter(each.offers.items()))] = risk
        else:
            for offer in each.offers.items():
                least = min(least, alone.get(offer, now))
        if risk <= least - LEAST_FALL:
            places.append(place)
    return places


def _smallest(reaching: list[int], possible: list[Proposal]) -> list[int]:
    """Those of which no part alone would do."""
    single = [possible[p].offers for p in reaching if len(possible[p].offers) == 1]
    return [
        place
        for place in reaching
        if len(possible[place].offers) == 1
        or not any(offer.items() <= possible[place].offers.items() for offer in single)
    ]


def _changes(proposal: Proposal, codes: Codes, rules: OfferRules) -> tuple[Change, ...]:
    return tuple(
        Change(
            column=name,
            before=rules.columns[name].categories[codes[name]],
            after=rules.columns[name].categories[code],
            follows=name not in proposal.offers,
        )
        for name, code in proposal.codes.items()
    )
