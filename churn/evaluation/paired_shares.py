"""The difference of two shares of the same customers: Tango's score test and its interval.

Two models select among the same customers, so only those count that one selects and the other does
not (Tango 1998, Statistics in Medicine 17:891-908). Against no difference at all the test is
McNemar's. Recommended for few pairs, too (Fagerland, Lydersen & Laake 2014, 33:2850-2875).
"""

from __future__ import annotations

from math import copysign, inf, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from churn.evaluation.intervals import Interval

METHOD = "Tango score"
_EDGE = 1e-9  # at a difference of exactly 1 or -1 the test has no spread


def tango_score(gained: int, lost: int, pairs: int, difference: float = 0.0) -> float:
    """How many standard errors the observed difference lies above the given one.

    Args:
        gained: pairs that only the first model selects.
        lost: pairs that only the second one selects.
        pairs: all of them.
        difference: share of the first less that of the second, if the hypothesis holds.
    """
    above = gained - lost - pairs * difference
    spread = difference * (1 - difference)
    slope = (2 * pairs - gained + lost) * difference - gained - lost
    only_second = (sqrt(slope**2 + 8 * pairs * lost * spread) - slope) / (4 * pairs)
    variance = pairs * (2 * only_second + spread)
    if variance <= 0:
        return copysign(inf, above) if above else 0.0
    return float(above / sqrt(variance))


def tango_interval(gained: int, lost: int, pairs: int, *, error: float) -> Interval:
    """Returns both one-sided bounds of the difference, each wrong with probability `error`.

    Examples:
        >>> tango_interval(gained=1, lost=7, pairs=21, error=0.025).span("+.3f")
        '-0.517 to -0.026'
    """
    reach = float(norm.isf(error))
    observed = (gained - lost) / pairs

    def bound(sign: int) -> float:
        def beyond(difference: float) -> float:
            return tango_score(gained, lost, pairs, difference) + sign * reach

        end = sign * (1 - _EDGE)
        if (abs(observed) >= abs(end) and observed * sign > 0) or beyond(end) * sign > 0:
            return float(sign)
        return float(brentq(beyond, observed, end))

    return Interval(lower=bound(-1), upper=bound(1), level=1 - 2 * error, method=METHOD)
