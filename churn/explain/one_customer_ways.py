"""The ways to a lower risk for one customer, from the values a score was made of: no tables.

The same search and the same words as `counterfactuals`, and the same bits: only the changed
customers are scored one by one, as the customer was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy.special import expit

from churn.contract import DataContract
from churn.explain.answers import CAVEAT
from churn.explain.counterfactual import REACH, changes_of, ways_of
from churn.explain.proposals import Proposal
from churn.explain.rules import Rules
from churn.scoring.encoder import Values

_Logits = Callable[[Values, list[dict[int, float]]], Sequence[float]]
"""Log-odds of a customer with each of some values changed, by the values' places."""


class CustomerWays:
    """A model's ways for customers one by one; holds nothing of any of them."""

    def __init__(self, contract: DataContract, names: Sequence[str], logits: _Logits) -> None:
        """Makes everything ready.

        Args:
            contract: what the fields mean.
            names: of a customer's values, in their order.
            logits: scores changed customers.
        """
        self.rules = Rules.of(contract)
        self._logits = logits
        self._places = {name: place for place, name in enumerate(names)}
        self._coded = tuple((name, self._places[name]) for name in self.rules.columns)
        self._numbers = tuple((name, self._places[name]) for name in self.rules.numbers)
        bill = self.rules.bill
        self._bill = None if bill is None else self._places[bill.name]

    def __call__(
        self, values: Values, logit: float, threshold: float | None, reach: int = REACH
    ) -> dict[str, Any]:
        """The ways, as `Counterfactuals` is dumped, without the changed rows.

        Args:
            values: the customer's, each allowed by itself.
            logit: the customer's.
            threshold: probability to fall below; None for the farthest falls.
            reach: how many changes at once, 1 or 2.

        Raises:
            InputError: the customer's fields contradict each other.
        """
        codes = {name: int(values[place]) for name, place in self._coded}
        numbers = {name: values[place] for name, place in self._numbers}
        rules = self.rules
        rules.require_ties(codes)

        def chances(possible: Sequence[Proposal]) -> Sequence[float]:
            logits = self._logits(values, [self._change(each, values) for each in possible])
            found: list[float] = expit([logit, *logits]).tolist()
            return found

        ways = ways_of(codes, numbers, rules, chances, threshold=threshold, reach=reach)
        bill = None if rules.bill is None else numbers[rules.bill.name]
        return {
            "threshold": threshold,
            "reached": ways.reached,
            "found": [
                {
                    "sentence": way.sentence,
                    "changes": changes_of(way, codes, rules),
                    "risk": way.risk,
                    "bill_before": bill,
                    "bill_after": way.proposal.bill,
                    "bill_held": way.proposal.unpriced,
                }
                for way in ways.found
            ],
            "sentence": ways.sentence,
            "caveat": CAVEAT,
        }

    def _change(self, proposal: Proposal, values: Values) -> dict[int, float]:
        places = self._places
        changed: dict[int, float] = {places[name]: code for name, code in proposal.codes.items()}
        place, bill = self._bill, proposal.bill
        if place is not None and bill is not None and bill != values[place]:
            changed[place] = bill
        return changed
