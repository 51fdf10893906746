"""MPC and EMPC: the most a campaign can earn with a ranking, and the share it contacts.

Verbraken, Verbeke & Baesens 2013 (IEEE Transactions on Knowledge and Data Engineering 25:961-973),
for worths that may differ between customers. The library empulse has both for one worth; it is the
reference in the tests and not needed to run.

A campaign that contacts the first k of a ranking earns gamma A_k - B_k, a straight line in the
acceptance gamma. MPC takes the highest line at one gamma; EMPC the mean of the upper envelope of
all lines over gamma's Beta distribution, segment by segment in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churn.retention.profit import Floats, contact_value
from churn.retention.value_settings import ValueSettings


@dataclass(frozen=True)
class MaximumProfit:
    """The best campaign that a ranking allows.

    Attributes:
        profit: in currency per customer of the base, contacted or not.
        share: share of the customers contacted; for EMPC its mean over the acceptance.
    """

    profit: float
    share: float


def maximum_profit(
    target: npt.ArrayLike, score: npt.ArrayLike, clv: npt.ArrayLike, value: ValueSettings
) -> MaximumProfit:
    """MPC: the highest profit at the mean acceptance; of equal ones, the smaller campaign.

    Customers with higher scores are contacted first, ties together.
    """
    share, gain, cost = _campaigns(target, score, clv, value)
    profit = value.acceptance.mean * gain - cost
    best = int(profit.argmax())
    return MaximumProfit(profit=float(profit[best]), share=float(share[best]))


def expected_maximum_profit(
    target: npt.ArrayLike, score: npt.ArrayLike, clv: npt.ArrayLike, value: ValueSettings
) -> MaximumProfit:
    """EMPC: what could be earned on average if the acceptance were known before each campaign.

    It is at least MPC at the mean acceptance, because the maximum is taken inside the mean.
    """
    from scipy.stats import beta

    share, gain, cost = _campaigns(target, score, clv, value)
    best, switches = _envelope(gain, cost)
    a, b = value.acceptance.alpha, value.acceptance.beta
    weight = np.diff(beta.cdf(switches, a, b))
    # The integral of gamma over a segment: the mean times the mass of Beta(a + 1, b) there.
    mean = value.acceptance.mean * np.diff(beta.cdf(switches, a + 1, b))
    profit = gain[best] @ mean - cost[best] @ weight
    return MaximumProfit(profit=float(profit), share=float(share[best] @ weight))


def _campaigns(
    target: npt.ArrayLike, score: npt.ArrayLike, clv: npt.ArrayLike, value: ValueSettings
) -> tuple[Floats, Floats, Floats]:
    """Share contacted, A and B per customer, for contacting nobody, the first group of ties, ..."""
    per_contact = contact_value(target, clv, value)
    scores = np.asarray(score, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
    gain, cost = (np.r_[0.0, v[order].cumsum()[last]] for v in (per_contact.gain, per_contact.cost))
    return np.r_[0, last + 1] / len(scores), gain / len(scores), cost / len(scores)


def _envelope(gain: Floats, cost: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Which campaigns are best for some acceptance in [0, 1], and where one follows another.

    Costs do not fall along a ranking, so this is the upper hull of (cost, gain), built in one pass
    (Andrew's monotone chain); its slopes, inverted, are the acceptances at which to contact more.
    """
    hull: list[int] = []
    for k in range(len(cost)):
        while hull and cost[k] == cost[hull[-1]] and gain[k] > gain[hull[-1]]:
            hull.pop()
        if hull and gain[k] <= gain[hull[-1]]:
            continue  # costs as much or more, brings no more
        while len(hull) > 1 and _bends_up(gain, cost, hull[-2], hull[-1], k):
            hull.pop()
        hull.append(k)
    best = np.array(hull)
    steps = np.diff(cost[best]) / np.diff(gain[best])
    return best, np.concatenate([[0.0], np.clip(steps, 0.0, 1.0), [1.0]])


def _bends_up(gain: Floats, cost: Floats, first: int, middle: int, last: int) -> bool:
    """Whether the middle campaign lies on or below the line from the first to the last."""
    rise = (gain[middle] - gain[first]) * (cost[last] - cost[first])
    return bool(rise <= (gain[last] - gain[first]) * (cost[middle] - cost[first]))
