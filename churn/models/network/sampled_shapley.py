"""Shapley values of any score, estimated from orders in which features are revealed.

A feature's value is what it adds to the score when it is revealed, averaged over the orders in
which features can be revealed and over background customers who fill in for what is still hidden
(Lundberg & Lee 2017, NeurIPS: interventional). All orders cannot be tried; a fixed sample is
(Castro, Gómez & Tejada 2009, Computers & Operations Research 36:1726-1730), each order together
with its reverse, which cancels much of the error (Mitchell et al. 2022, JMLR 23:43).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats
from churn.models.network.network_input import Singles

Score = Callable[[Singles], Floats]
_HYBRIDS_AT_ONCE = 32_768  # bounds the memory


@dataclass(frozen=True, eq=False)
class SampledShapley:
    """An estimator with its draws made: the same row always gets the same values.

    Attributes:
        score: log-odds float64[n] of encoded rows float32[n, inputs].
        widths: number of inputs for each feature.
        background: float32[orders, inputs]; customer i fills in along order i and its reverse.
        base: log-odds that the values are added to.
        seed: seed of the orders.
    """

    score: Score
    widths: tuple[int, ...]
    background: Singles
    base: float
    seed: int

    def values(self, rows: Singles, logit: Floats) -> Floats:
        """What each feature adds to the base, float64[n, features].

        Rows sum to logit - base: along each order the gains sum to the row's score less the
        background customer's, and what the background's mean differs from the base is spread
        evenly, the same for every row.

        Args:
            rows: float32[n, inputs].
            logit: float64[n], their scores.
        """
        features = len(self.widths)
        found = np.zeros((len(rows), features))
        orders, hidden = self._orders()
        start = self.score(self.background)
        at_once = max(1, _HYBRIDS_AT_ONCE // max(1, hidden.shape[1]))
        for first in range(0, len(rows), at_once):
            some = slice(first, first + at_once)
            for place, (both, masks) in enumerate(zip(orders, hidden, strict=True)):
                scores = self._scores(rows[some], self.background[place], masks)
                _add_gains(found[some], both, start[place], scores, logit[some])
        found /= 2 * len(orders)
        missing = logit - self.base
        for place in range(features):
            missing -= found[:, place]
        found += (missing / features)[:, None]
        return found

    def _orders(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The orders and what each leaves hidden after every step but the last.

        Returns:
            intp[orders, 2, features], each order and its reverse; and
            bool[orders, 2 * (features - 1), inputs].
        """
        features = len(self.widths)
        generator = np.random.default_rng(self.seed)
        forward = np.stack([generator.permutation(features) for _ in self.background])
        orders = np.stack([forward, forward[:, ::-1]], axis=1)
        rank = np.argsort(orders, axis=2)
        hidden = rank[:, :, None, :] >= np.arange(1, features)[:, None]
        flat = hidden.reshape(len(orders), -1, features)
        return orders, np.repeat(flat, self.widths, axis=2)

    def _scores(self, rows: Singles, fill: Singles, hidden: NDArray[np.bool_]) -> Floats:
        """Scores of rows with parts hidden, float64[n, masks]."""
        hybrids = np.where(hidden[None], fill, rows[:, None])
        flat = hybrids.reshape(-1, rows.shape[1])
        return self.score(flat).reshape(len(rows), len(hidden))


def _add_gains(
    found: Floats, orders: NDArray[np.intp], start: float, scores: Floats, logit: Floats
) -> None:
    """Adds what each feature gained along an order and along its reverse."""
    steps = scores.shape[1] // 2
    for direction, order in enumerate(orders):
        before: Floats | float = start
        for step, feature in enumerate(order):
            after = scores[:, direction * steps + step] if step < steps else logit
            found[:, feature] += after - before
            before = after
